public import UV

extension LocalConnection {
    /// How long to wait before a listener whose queue is full is asked again.
    private static let firstPause = Duration.milliseconds(1)
    private static let longestPause = Duration.milliseconds(50)

    /// Connects to a listener.
    ///
    /// The system refuses at once when the listener's queue is full, instead of letting the client wait, as with TCP. Here it
    /// waits: it tries again every few milliseconds, 50 at most.
    ///
    /// - Parameter timeout: How long to do so; `nil` for ever.
    /// - Parameter idleTimeout: Set on the connection: see ``StreamConnection/setIdleTimeout(_:)``.
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory`, `.connectionRefused` when nobody listens, `.permissionDenied`,
    ///   `.protocolWrongTypeForSocket` when the socket is not for streams, `.destinationAddressRequired` for an unnamed address,
    ///   `.timedOut` when the queue was full for so long, `.canceled` when the loop ends.
    ///
    /// Cancellation: nothing is connected.
    ///
    /// Calls `uv_pipe_connect`.
    public static func connect(
        to address: LocalAddress, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalConnection {
        if let idleTimeout, idleTimeout <= .zero {
            throw UVError(.invalidArgument, in: "connect", of: "\(address) with an idle timeout of \(idleTimeout)")
        }
        let time = TimeLeft(timeout)
        var pause = firstPause
        while true {
            do { return try await attempt(address, idleTimeout, on: loop) } catch UVError.Code
                .resourceTemporarilyUnavailable
            {
                let left = time.left ?? .seconds(1)
                if left <= .zero { throw UVError(.timedOut, in: "connect", of: "\(address), whose queue is full") }
                try await loop.sleep(for: Swift.min(pause, left))
                pause = Swift.min(pause * 2, longestPause)
            }
        }
    }

    /// Connects to a socket in the file system. Otherwise as ``connect(to:timeout:idleTimeout:on:)``.
    ///
    /// - Throws: Also ``UVError`` with `.fileNameTooLong`.
    public static func connect(
        path: FilePath, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalConnection {
        try await connect(to: LocalAddress(path: path), timeout: timeout, idleTimeout: idleTimeout, on: loop)
    }

    private static func attempt(
        _ address: LocalAddress, _ idleTimeout: Duration?, on loop: EventLoop
    ) async throws -> LocalConnection {
        try await loop.perform("connect") { core, pending in
            let handle = try PipeHandle(on: core.loop)
            do throws(UVError) {
                try handle.connect(to: address) { [unowned core] handle, error in
                    if let error {
                        handle.close()
                        return _ = pending.finish(.failure(error))
                    }
                    pending.finish(
                        Result {
                            let connection = try LocalConnection(handle, on: loop)
                            connection.stream.core.open(on: loop).setIdleTimeout(idleTimeout, in: core.sleeps)
                            return connection
                        })
                }
            } catch {
                handle.close()
                throw error
            }
            pending.onCancel = { handle.close() }
        }
    }

    /// Connects to a listener for a body, and closes the connection afterwards, whatever happens.
    ///
    /// - Throws: What connecting or the body throws. Otherwise as ``connect(to:timeout:idleTimeout:on:)``.
    public static func withConnection<Value>(
        to address: LocalAddress, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (LocalConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(to: address, timeout: timeout, idleTimeout: idleTimeout, on: loop)
        return try await connection.closing(after: body)
    }

    /// Connects to a socket in the file system for a body. Otherwise as ``withConnection(to:timeout:idleTimeout:on:_:)``.
    public static func withConnection<Value>(
        path: FilePath, timeout: Duration? = nil, idleTimeout: Duration? = nil,
        on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (LocalConnection) async throws -> Value
    ) async throws -> Value {
        let connection = try await connect(path: path, timeout: timeout, idleTimeout: idleTimeout, on: loop)
        return try await connection.closing(after: body)
    }
}
