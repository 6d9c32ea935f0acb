internal import AsyncUV
internal import Synchronization
internal import UV

/// Watching a client while a handler makes its answer.
///
/// Nothing but a read tells that a client has gone. Nobody else reads then, because the request is whole; what comes is of later requests, and
/// the parser gets it.
extension ServerConnection {
    fileprivate enum Watch {
        case gone(HTTPClientDeparture)
        case read
        /// For the end of the request's body; for a semaphore that nobody else has, for ever.
        case wait(AsyncSemaphore)
    }

    /// Of later requests so many bytes are taken while a client is watched.
    private static let mostAhead = 16_384

    /// Waits until the client has gone.
    func departure(during number: UInt32) async throws -> HTTPClientDeparture {
        while true {
            switch try state.withLock({ try $0.watch(number, mostAhead: Self.mostAhead, on: stream.loop) }) {
            case .gone(let departure): return departure
            case .wait(let semaphore):
                try await semaphore.acquire()
                // Whoever else waits comes next.
                semaphore.release()
            case .read:
                do {
                    let bytes = try await readAhead()
                    state.withLock { state in
                        state.isReading = false
                        if let bytes { state.parser.input.append(bytes) }
                    }
                    if bytes == nil { return .finished }
                } catch {
                    let isTimeout = (error as? UVError)?.code == .timedOut
                    let isOurs = error is CancellationError || (error as? UVError)?.isOurs == true
                    state.withLock { state in
                        state.isReading = false
                        if !isTimeout && !isOurs { state.leave(error as? any PeerError ?? Self.failure) }
                    }
                    if isOurs { throw error }
                    // The handler takes its time, and the client cannot help it.
                    if !isTimeout { return .reset }
                }
            }
        }
    }

    private func readAhead() async throws -> [UInt8]? {
        if let tcp { return try await tcp.read(upTo: Self.mostAhead) }
        return try await stream.read(upTo: Self.mostAhead)
    }

    /// In place of an error of a layer between the server and the socket.
    private static let failure = UVError(.connectionReset, in: "read", of: "what follows a request")
}

extension ServerConnection.State {
    fileprivate mutating func watch(
        _ number: UInt32, mostAhead: Int, on loop: EventLoop
    ) throws -> ServerConnection.Watch {
        guard self.number == number else { throw HTTPServerError.isOver }
        if let departure { return .gone((departure as? UVError)?.code == .endOfFile ? .finished : .reset) }
        if !body.hasEnded {
            let semaphore = bodyWatch ?? AsyncSemaphore(permits: 0, on: loop)
            bodyWatch = semaphore
            return .wait(semaphore)
        }
        if isReading { throw UVError(.alreadyInProcess, in: "clientGone", of: "a client that is watched already") }
        if parser.input.count >= mostAhead { return .wait(AsyncSemaphore(permits: 0, on: loop)) }
        isReading = true
        return .read
    }

    /// Who waits for the end of the body, when that has come.
    mutating func takeBodyWatch() -> AsyncSemaphore? { body.hasEnded || departure != nil ? bodyWatch.take() : nil }
}

extension UVError {
    /// Whether it tells of this side: the stream was closed, the loop ends, or somebody else reads.
    fileprivate var isOurs: Bool { code == .canceled || code == .badFileDescriptor || code == .alreadyInProcess }
}
