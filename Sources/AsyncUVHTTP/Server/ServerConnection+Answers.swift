internal import AsyncUV
internal import HTTPTypes
internal import Synchronization
internal import UV

/// Sending answers.
extension ServerConnection {
    /// How an answer's body is sent.
    enum Content {
        case bytes(Int)
        case chunks
        /// None, whatever the status.
        case none
    }

    /// Bodies up to this size are copied behind their heads: one write of one array costs less than one of two.
    private static let small = 16_384

    func hasBegun(_ number: UInt32) -> Bool { state.withLock { $0.number != number || $0.answer != .none } }

    // MARK: At once

    func send(_ number: UInt32, _ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: [UInt8]) async throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(384 + (body.count <= Self.small ? body.count : 0))
        let notes = HTTPPreparedHead.write(status, fields, to: &bytes)
        try await send(number, status, notes, bytes, body)
    }

    func send(_ number: UInt32, _ head: HTTPPreparedHead, _ body: [UInt8]) async throws {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.bytes.count + 128 + (body.count <= Self.small ? body.count : 0))
        bytes += head.bytes
        try await send(number, head.status, head.notes, bytes, body)
    }

    @inline(__always)
    private func send(
        _ number: UInt32, _ status: HTTPResponse.Status, _ notes: HTTPPreparedHead.Notes, _ head: consuming [UInt8],
        _ body: [UInt8]
    ) async throws {
        let isDraining = try await isDraining
        var head = head
        let hasBody = try state.withLock {
            try $0.begin(number, status, notes, .bytes(body.count), isDraining, &head)
        }
        if !hasBody || body.isEmpty {
            try await write(head)
        } else if body.count <= Self.small {
            head += body
            try await write(head)
        } else {
            try await write([head, body])
        }
        state.withLock { $0.answer = .ended }
    }

    // MARK: Files

    func send(_ number: UInt32, _ head: HTTPPreparedHead, _ file: File, _ range: Range<Int64>) async throws {
        let size = range.count
        let isDraining = try await isDraining
        var bytes = head.bytes
        let hasBody = try state.withLock {
            try $0.begin(number, head.status, head.notes, .bytes(size), isDraining, &bytes)
        }
        if !hasBody || size == 0 {
            try await write(bytes)
        } else if size <= Self.small {
            bytes += try await read(range, from: file)
            try await write(bytes)
        } else {
            try await write(bytes)
            try await sendLarge(range, of: file)
        }
        state.withLock { $0.answer = .ended }
    }

    /// By pieces, each of which has its time.
    private func sendLarge(_ range: Range<Int64>, of file: File) async throws {
        let connection = stream as? any StreamConnection
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = min(range.upperBound - offset, connection == nil ? 65_536 : 1 << 20)
            if let connection {
                let (start, time) = (offset, server.time(for: Int(count)))
                let sent = try await withTimeout(time, on: stream.loop) {
                    try await Self.send(file, to: connection, from: start, count: count)
                }
                if sent < count { throw cut(file) }
            } else {
                try await write(try await read(offset..<offset + count, from: file))
            }
            offset += count
        }
    }

    private static func send(
        _ file: File, to connection: some StreamConnection, from offset: Int64, count: Int64
    ) async throws -> Int64 {
        try await file.send(to: connection, from: offset, count: count)
    }

    private func read(_ range: Range<Int64>, from file: File) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            let more = try await file.read(
                upTo: range.count - bytes.count, at: range.lowerBound + Int64(bytes.count))
            if more.isEmpty { throw cut(file) }
            if bytes.isEmpty { bytes = more } else { bytes += more }
        }
        return bytes
    }

    /// The length has been promised: nothing but the end of the connection can say that it was wrong.
    private func cut(_ file: File) -> UVError {
        UVError(.endOfFile, in: "send", of: "\(file.path), which was cut meanwhile")
    }

    // MARK: Piece by piece

    /// - Returns: Whether there is a body to write.
    func beginStream(
        _ number: UInt32, _ status: HTTPResponse.Status, _ fields: HTTPFields, _ length: Int?
    ) async throws -> Bool {
        var bytes: [UInt8] = []
        let notes = HTTPPreparedHead.write(status, fields, to: &bytes)
        let isDraining = try await isDraining
        let length = length ?? notes.length
        let hasBody = try state.withLock { state in
            try state.begin(
                number, status, notes, length.map { .bytes($0) } ?? .chunks, isDraining, isWhole: false, &bytes)
        }
        try await write(bytes)
        if !hasBody { state.withLock { $0.answer = .ended } }
        return hasBody
    }

    func write(_ number: UInt32, _ bytes: [UInt8]) async throws {
        let isChunked = try state.withLock { state in
            guard state.number == number, state.answer == .begun else { throw HTTPServerError.isOver }
            if state.hasFailed { throw HTTPServerError.unfinished }
            state.written += bytes.count
            if let promised = state.promised, state.written > promised {
                throw HTTPServerError.wrongLength(promised: promised, written: state.written)
            }
            return state.isChunked
        }
        if bytes.isEmpty { return }
        do { try await writePiece(bytes, isChunked) } catch {
            // Whoever goes on nevertheless would send something else than was meant.
            state.withLock { $0.hasFailed = true }
            throw error
        }
    }

    private func writePiece(_ bytes: [UInt8], _ isChunked: Bool) async throws {
        guard isChunked else { return try await write(bytes) }
        var size = Array(String(bytes.count, radix: 16).utf8)
        size.endLine()
        if bytes.count <= Self.small {
            size.reserveCapacity(size.count + bytes.count + 2)
            size += bytes
            size.endLine()
            try await write(size)
        } else {
            try await write([size, bytes, [.carriageReturn, .lineFeed]])
        }
    }

    /// - Parameter trailers: `nil` when the closure has ended, which may have finished the body itself.
    func endStream(_ number: UInt32, _ trailers: HTTPFields?) async throws {
        let isChunked: Bool? = try state.withLock { state in
            if trailers == nil, state.number == number, state.answer == .ended { return nil }
            guard state.number == number, state.answer == .begun else { throw HTTPServerError.isOver }
            if state.hasFailed { throw HTTPServerError.unfinished }
            if let promised = state.promised, state.written < promised {
                throw HTTPServerError.wrongLength(promised: promised, written: state.written)
            }
            return state.isChunked
        }
        guard let isChunked else { return }
        if isChunked {
            var end = Array("0\r\n".utf8)
            if let trailers { HTTPPreparedHead.write(trailers: trailers, to: &end) }
            end.endLine()
            try await write(end)
        }
        state.withLock { $0.answer = .ended }
    }

    /// The fields behind the body of a request.
    func trailers(of number: UInt32) -> HTTPFields { state.withLock { $0.number == number ? $0.body.trailers : [:] } }

    func inform(_ number: UInt32, _ status: HTTPResponse.Status, _ fields: HTTPFields) async throws {
        guard status.kind == .informational, status != .switchingProtocols else {
            throw HTTPServerError.wrongStatus(status.code)
        }
        var bytes: [UInt8] = []
        _ = HTTPPreparedHead.write(status, fields, to: &bytes)
        bytes.endLine()
        let isWanted = try state.withLock { state in
            try state.checkUnanswered(number)
            if status == .continue { state.expectsContinue = false }
            return state.version == .http11
        }
        if isWanted { try await write(bytes) }
    }

    // MARK: Another protocol

    /// What is wrong with a request that asks for another protocol, as far as the head does not tell.
    var problemOfUpgrade: String? {
        state.withLock { state in
            if state.version == .http10 { return "HTTP/1.0 knows no other protocols" }
            return state.body.hasEnded ? nil : "a request for another protocol has no body"
        }
    }

    func upgrade(_ number: UInt32, _ fields: HTTPFields) async throws -> any ByteStream {
        var bytes: [UInt8] = []
        let rest = try state.withLock { state in
            try state.checkUnanswered(number)
            if !state.body.hasEnded { throw HTTPServerError.bodyUnread }
            var fields = fields
            if !state.isConnect, !fields.contains(.connection) { fields[.connection] = "Upgrade" }
            _ = HTTPPreparedHead.write(state.isConnect ? .ok : .switchingProtocols, fields, to: &bytes)
            bytes.endLine()
            state.answer = .ended
            state.isKept = false
            return state.parser.input.takePiece(upTo: .max)
        }
        try await write(bytes)
        if !rest.isEmpty { try await stream.unread(rest) }
        return stream
    }
}

extension ServerConnection.State {
    fileprivate func checkUnanswered(_ number: UInt32) throws {
        guard self.number == number else { throw HTTPServerError.isOver }
        guard answer == .none else { throw HTTPServerError.alreadyAnswered }
    }

    /// Begins an answer: adds what the server says to its head.
    ///
    /// - Parameter isWhole: Whether the handler has all of it; otherwise it may still read the request while it answers.
    /// - Returns: Whether the body is sent.
    fileprivate mutating func begin(
        _ number: UInt32, _ status: HTTPResponse.Status, _ notes: HTTPPreparedHead.Notes,
        _ content: ServerConnection.Content, _ isDraining: Bool, isWhole: Bool = true, _ head: inout [UInt8]
    ) throws -> Bool {
        try checkUnanswered(number)
        let code = status.code
        guard code >= 200, code < 600 else { throw HTTPServerError.wrongStatus(code) }
        answer = .begun
        written = 0
        promised = nil
        isChunked = false
        hasFailed = false
        let canHaveBody = code != 204 && code != 304 && !(isConnect && code < 300)
        switch content {
        case .bytes(let count) where canHaveBody:
            promised = count
            // The length of the answer to a HEAD is that of a GET, if it is known.
            Self.append("Content-Length: ", isHead ? notes.length ?? count : count, to: &head)
        case .chunks where canHaveBody:
            if version == .http10 {
                isKept = isKept && isHead
            } else {
                isChunked = true
                head.append(copying: "Transfer-Encoding: chunked\r\n".utf8.span)
            }
        default:
            if code == 304, let length = notes.length { Self.append("Content-Length: ", length, to: &head) }
        }
        // A body of which so much is left is not dropped: the connection ends.
        if isWhole, let rest = body.remaining, rest > ServerConnection.dropped {
            isKept = false
        }
        // Who expects to be told to send the body, and is not, may send it or not: nobody knows what comes next.
        if isDraining || notes.closes || expectsContinue { isKept = false }
        if !isKept {
            head.append(copying: "Connection: close\r\n".utf8.span)
        } else if version == .http10 {
            head.append(copying: "Connection: keep-alive\r\n".utf8.span)
        }
        if !notes.hasDate { head += HTTPDate.field }
        head.endLine()
        return canHaveBody && !isHead
    }

    private static func append(_ name: String, _ number: Int, to head: inout [UInt8]) {
        head.append(copying: name.utf8.span)
        head.append(decimal: max(0, number))
        head.endLine()
    }
}
