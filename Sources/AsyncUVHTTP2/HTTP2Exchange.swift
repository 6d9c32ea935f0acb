internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes
internal import UV

/// A request of HTTP/2 and its answer, for the handler.
final class HTTP2Exchange: HTTPExchange {
    let connection: HTTP2Connection
    let id: Int32

    init(_ connection: HTTP2Connection, _ id: Int32) {
        self.connection = connection
        self.id = id
    }

    var stream: any ByteStream { connection.stream }
    var peerAddress: SocketAddress? { connection.peerAddress }
    var server: HTTPServer { connection.server }

    /// What the connection knows of the stream.
    func locked<Value: Sendable>(_ body: (ConnectionCore, StreamState) throws -> Value) throws -> Value {
        try connection.locked { core in try body(core, try core.stream(id)) }
    }

    func semaphore() -> AsyncSemaphore { AsyncSemaphore(permits: 0, on: connection.loop) }

    // MARK: Answers

    var hasBegun: Bool { (try? locked { _, stream in stream.answer != .none }) ?? true }

    func send(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: [UInt8]) async throws {
        let isSent = try locked { core, stream in
            let head = try begin(stream, status, fields, length: body.count)
            stream.output = head.hasBody ? body : []
            try submit(core, stream, head.fields, hasBody: head.hasBody && !body.isEmpty, isWhole: true)
            return stream.isSent
        }
        if !isSent { try await waitUntilTaken(body.count) }
        try locked { _, stream in stream.answer = .ended }
    }

    func send(
        _ status: HTTPResponse.Status, _ fields: HTTPFields, _ file: File, _ range: Range<Int64>
    ) async throws {
        guard try await beginStream(status, fields, range.count) else { return }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let bytes = try await file.read(upTo: Int(min(range.upperBound - offset, 65_536)), at: offset)
            if bytes.isEmpty { throw UVError(.endOfFile, in: "send", of: "\(file.path), which was cut meanwhile") }
            try await write(bytes)
            offset += Int64(bytes.count)
        }
        try await endStream(nil)
    }

    func beginStream(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ length: Int?) async throws -> Bool {
        try locked { core, stream in
            let head = try begin(stream, status, fields, length: length)
            stream.promised = head.hasBody ? length ?? fields[.contentLength].flatMap { Int($0) } : nil
            try submit(core, stream, head.fields, hasBody: head.hasBody, isWhole: false)
            if !head.hasBody { stream.answer = .ended }
            return head.hasBody
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        let isTaken = try locked { core, stream in
            guard stream.answer == .begun, !stream.outputHasEnded else { throw HTTPServerError.isOver }
            if stream.hasFailed { throw HTTPServerError.unfinished }
            try checkClient(core, stream)
            if !stream.outputIsEmpty {
                throw UVError(.alreadyInProcess, in: "write", of: "a body, which another task writes")
            }
            stream.written += bytes.count
            if let promised = stream.promised, stream.written > promised {
                throw HTTPServerError.wrongLength(promised: promised, written: stream.written)
            }
            if bytes.isEmpty { return true }
            stream.output = bytes
            core.resume(id)
            return stream.outputIsEmpty
        }
        if !isTaken { try await waitUntilTaken(bytes.count) }
    }

    func endStream(_ trailers: HTTPFields?) async throws {
        let isSent = try locked { core, stream in
            if trailers == nil, stream.answer == .ended { return true }
            guard stream.answer == .begun, !stream.outputHasEnded else { throw HTTPServerError.isOver }
            if stream.hasFailed { throw HTTPServerError.unfinished }
            if let promised = stream.promised, stream.written < promised {
                throw HTTPServerError.wrongLength(promised: promised, written: stream.written)
            }
            if let trailers, !trailers.isEmpty {
                var list = FieldList()
                for field in trailers where !field.isOfConnection && field.name != .contentLength { list.add(field) }
                try list.check("finish")
                stream.outputTrailers = list
            }
            stream.outputHasEnded = true
            core.resume(id)
            return stream.isSent
        }
        if !isSent { try await waitUntilTaken(0) }
        try locked { _, stream in stream.answer = .ended }
    }

    func inform(_ status: HTTPResponse.Status, _ fields: HTTPFields) async throws {
        guard status.kind == .informational, status != .switchingProtocols else {
            throw HTTPServerError.wrongStatus(status.code)
        }
        var list = FieldList()
        list.add(":status", "\(status.code)")
        for field in fields where !field.isOfConnection { list.add(field) }
        try list.check("inform")
        try locked { core, stream in
            guard stream.answer == .none else { throw HTTPServerError.alreadyAnswered }
            if status == .continue { stream.expectsContinue = false }
            if !stream.isClosed { core.submitInterim(id, list) }
        }
    }

    private func submit(
        _ core: ConnectionCore, _ stream: StreamState, _ fields: FieldList, hasBody: Bool, isWhole: Bool
    ) throws {
        try checkClient(core, stream)
        stream.answer = .begun
        stream.outputHasEnded = isWhole || !hasBody
        if !hasBody { stream.isSent = true }
        core.submitHead(id, fields, hasBody: hasBody)
    }

    private func checkClient(_ core: ConnectionCore, _ stream: StreamState) throws {
        if stream.isReset || stream.isClosed || core.isLost { throw HTTPServerError.clientGone }
    }

    // MARK: Waiting for the client

    /// Waits until the client lets us send what there is.
    ///
    /// - Parameter count: How many bytes that is.
    private func waitUntilTaken(_ count: Int) async throws {
        let deadline = LoopClock.Instant.now + server.timeAllowed(for: count)
        do {
            while true {
                let waiting = try locked { core, stream -> AsyncSemaphore? in
                    if stream.outputHasEnded ? stream.isSent : stream.outputIsEmpty { return nil }
                    try checkClient(core, stream)
                    // It cannot say any more that it takes more.
                    if core.inputHasEnded { throw HTTPServerError.clientGone }
                    let semaphore = semaphore()
                    stream.writer = semaphore
                    return semaphore
                }
                guard let waiting else { return }
                try await waiting.acquire(timeout: max(.zero, deadline - .now))
            }
        } catch {
            // Whoever goes on nevertheless would send something else than was meant.
            _ = try? locked { _, stream in stream.hasFailed = true }
            guard (error as? UVError)?.code == .timedOut else { throw error }
            server.noteOtherTimeout()
            _ = try? locked { core, stream in core.reset(id, .cancel) }
            throw UVError(.timedOut, in: "write", of: "an answer that the client does not take")
        }
    }

    func departure() async throws -> HTTPClientDeparture {
        while true {
            let waiting = try locked { core, stream -> AsyncSemaphore? in
                if stream.isReset || core.inputHasEnded { return nil }
                if stream.watcher != nil {
                    throw UVError(.alreadyInProcess, in: "clientGone", of: "a client that is watched already")
                }
                let semaphore = semaphore()
                stream.watcher = semaphore
                return semaphore
            }
            guard let waiting else { return try locked { _, stream in stream.isReset ? .reset : .finished } }
            do { try await waiting.acquire() } catch {
                _ = try? locked { _, stream in stream.watcher = nil }
                throw error
            }
        }
    }

    // MARK: The end of a handler

    /// Answers what the handler has not answered, and tells of its error.
    func finish(_ failure: (any Error)?) async {
        guard
            let (answer, isGone) = try? locked({ core, stream in
                (stream.answer, stream.isReset || core.inputHasEnded)
            })
        else { return }
        if answer == .none {
            let refusal = failure as? HTTPRefusal
            await send(refusal ?? HTTPRefusal(.internalServerError, "something went wrong here"))
            if refusal != nil { return }
        }
        guard let error = failure ?? (answer == .ended ? nil : answer == .none ? HTTPServerError.noAnswer : .unfinished)
        else { return }
        if isGone, error.isOfDeparture || failure == nil { return }
        if error as? HTTPServerError == .clientGone { return }
        connection.report(error)
    }

    private func send(_ refusal: HTTPRefusal) async {
        let answer = refusal.answer
        try? await send(answer.status, answer.fields, answer.body)
    }
}

extension Error {
    /// Whether it may come from the end of a client.
    fileprivate var isOfDeparture: Bool {
        if self is CancellationError || self as? HTTPServerError == .clientGone { return true }
        return peerDeparture != nil || (self as? UVError)?.code == .canceled
    }
}
