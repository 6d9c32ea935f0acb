internal import UV

extension EventLoop {
    /// Waits until somebody else's descriptor can be read without blocking: has bytes, or its end. For libraries that have
    /// sockets of their own, such as clients of databases.
    ///
    /// ```swift
    /// while PQisBusy(connection) != 0 {
    ///     try await loop.waitUntilReadable(FileDescriptor(rawValue: PQsocket(connection)))
    ///     PQconsumeInput(connection)
    /// }
    /// ```
    ///
    /// Several tasks may wait for the same descriptor. It becomes non-blocking, and stays so. It must stay open until the wait is
    /// over. Readiness is a hint: the next read may still have nothing to take. A socket that has failed is ready, and keeps its error
    /// for whoever reads it next or asks for it (`SO_ERROR`).
    ///
    /// - Parameter timeout: How long to wait at most; `nil` for ever.
    /// - Throws: ``UVError`` with `.badFileDescriptor` for a closed one, `.notPermitted` for a regular file or directory, which
    ///   are always ready, `.timedOut`.
    ///
    /// Cancellation: ends the wait.
    ///
    /// Calls `uv_poll_start`.
    public func waitUntilReadable(_ descriptor: FileDescriptor, timeout: Duration? = nil) async throws {
        try await wait(for: .readable, descriptor, "waitUntilReadable", timeout)
    }

    /// Waits until somebody else's descriptor can be written without blocking, or a connection of it is established. Otherwise
    /// as ``waitUntilReadable(_:timeout:)``.
    public func waitUntilWritable(_ descriptor: FileDescriptor, timeout: Duration? = nil) async throws {
        try await wait(for: .writable, descriptor, "waitUntilWritable", timeout)
    }

    private func wait(
        for events: PollHandle.Events, _ descriptor: FileDescriptor, _ operation: StaticString, _ timeout: Duration?
    ) async throws {
        let _: Void = try await perform(operation, of: "descriptor \(descriptor.rawValue)", within: timeout) {
            core, wait in
            let handle: PollHandle
            do {
                handle = try PollHandle(on: core.loop, watching: descriptor)
                handle.label = "\(operation)"
                handle.leavesErrors = true
                try handle.start(events, once: true) { handle, ready in
                    handle.close()
                    _ = wait.finish(ready.map { _ in }.mapError { $0.named(operation) as any Error })
                }
            } catch let error as UVError { throw error.named(operation) }
            wait.onCancel = { handle.close() }
        }
    }
}

extension UVError {
    fileprivate func named(_ operation: StaticString) -> UVError { UVError(code, in: "\(operation)", of: subject) }
}

/// As ``EventLoop/waitUntilReadable(_:timeout:)`` on the caller's loop.
public func waitUntilReadable(_ descriptor: FileDescriptor, timeout: Duration? = nil) async throws {
    try await (EventLoop.current ?? .shared).waitUntilReadable(descriptor, timeout: timeout)
}

/// As ``EventLoop/waitUntilWritable(_:timeout:)`` on the caller's loop.
public func waitUntilWritable(_ descriptor: FileDescriptor, timeout: Duration? = nil) async throws {
    try await (EventLoop.current ?? .shared).waitUntilWritable(descriptor, timeout: timeout)
}
