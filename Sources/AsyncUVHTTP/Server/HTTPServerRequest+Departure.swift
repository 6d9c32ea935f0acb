internal import AsyncUV
internal import UV

/// How a client has gone before it got its answer.
public enum HTTPClientDeparture: Sendable, Hashable {
    /// It sends nothing more. Most such clients have closed the connection; some still wait for the answer, as `nc -N` does. The system does
    /// not tell one from the other before an answer is sent.
    case finished
    /// The connection was reset or has failed: nobody gets an answer.
    case reset
}

extension HTTPServerRequest {
    /// Runs a body that is cancelled when the client has gone: for answers that cost much, or that wait for something.
    ///
    /// ```swift
    /// try await server.serve(listener) { request, response in
    ///     let report = try await request.untilClientGone { try await makeReport() }
    ///     try await response.send(text: report)
    /// }
    /// ```
    ///
    /// The body runs in a child task where the handler runs. The client is watched from the end of the request's body on, and no more when it has sent
    /// 16 KiB of later requests, which are kept for their turn. The server's idle timeout does not end the watch.
    ///
    /// - Parameter orFinished: Whether a client that sends nothing more counts as gone: see ``HTTPClientDeparture/finished``. Otherwise only a
    ///   reset is one, which a client that closes its connection causes by what comes after, but rarely before an answer is sent.
    /// - Returns: The body's value; also one that came in spite of a cancellation.
    /// - Throws: ``HTTPServerError/clientGone`` when that has ended the body; a handler that lets it go on ends the connection without an answer,
    ///   and `onError` is not told. Else the body's error, and ``UVError`` with `.alreadyInProcess` while the client is watched already.
    ///
    /// Cancellation cancels the body. It returns when the body has.
    public func untilClientGone<Value: Sendable>(
        orFinished: Bool = true, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Outcome<Value>.self) { group in
            group.addTask { .value(try await body()) }
            group.addTask(executorPreference: stream.loop) {
                let departure = try await clientGone()
                return departure == .finished && !orFinished ? .mayWait : .gone
            }
            var isGone = false
            defer { group.cancelAll() }
            do {
                while let outcome = try await group.next() {
                    switch outcome {
                    case .value(let value): return value
                    case .mayWait: break
                    case .gone:
                        isGone = true
                        group.cancelAll()
                    }
                }
            } catch {
                // An error of the body's own is worth more.
                throw isGone && error.isOfDeparture ? HTTPServerError.clientGone : error
            }
            throw HTTPServerError.clientGone
        }
    }

    /// Waits until the client has gone: for a task beside the handler's, which is cancelled when the handler needs it no more. Otherwise as
    /// ``untilClientGone(orFinished:_:)``.
    ///
    /// - Throws: ``UVError`` with `.alreadyInProcess` while another task waits for the same, ``HTTPServerError/isOver`` after the handler.
    ///
    /// Cancellation: no byte of later requests is lost.
    public func clientGone() async throws -> HTTPClientDeparture {
        switch exchange {
        case .http1(let connection): try await connection.departure(during: body.number)
        case .other(let other): try await other.exchange.departure()
        }
    }
}

private enum Outcome<Value: Sendable>: Sendable {
    case value(Value)
    case gone
    /// The client has finished, and may wait for the answer.
    case mayWait
}

extension Error {
    /// Whether it may come from the end of a client: by cancellation, or from a connection that is not there any more.
    fileprivate var isOfDeparture: Bool {
        if self is CancellationError { return true }
        guard let error = self as? UVError else { return false }
        return error.code == .connectionReset || error.code == .brokenPipe
    }
}
