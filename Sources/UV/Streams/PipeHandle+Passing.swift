internal import CLibuv
internal import CPlatform
internal import SystemPackage

/// Sockets that travel with the bytes of a pipe handle made with `ipc: true`.
///
/// libuv does not tell when descriptors were lost because the receiving process had no room for them, and sends one with each
/// write. ``LocalMessage`` has neither limit.
extension PipeHandle {
    /// Writes bytes and sends a socket with the first of them: the receiver gets a descriptor of its own for the same socket.
    ///
    /// The handle that is sent stays open and may be closed at once; close it without ``StreamHandle/closeAfterWrites(onClosed:)``, which would
    /// finish the connection for the receiver too.
    ///
    /// - Parameter handle: A TCP or pipe handle with a socket, on any loop of this thread.
    /// - Returns: `.sent` or `.queued`, as `write(_:)`.
    /// - Throws: ``UVError`` with `.invalidArgument` for no bytes or a handle made without `ipc: true`, `.badFileDescriptor` for a
    ///   handle that is closed or has no socket. Otherwise as `write(_:)`. Nothing was kept.
    ///
    /// Calls `uv_try_write2`, `uv_write2`.
    @discardableResult
    public func write(_ bytes: [UInt8], sending handle: StreamHandle) throws(UVError) -> WriteOutcome {
        try write(bytes, sending: handle, nil)
    }

    /// Writes bytes and sends a socket with them. Otherwise as ``write(_:sending:)``.
    ///
    /// - Parameter onDone: As in `write(_:onDone:)`.
    public func write(
        _ bytes: [UInt8], sending handle: StreamHandle, onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try write(bytes, sending: handle, onDone) }

    /// Writes what fits at once, and sends a socket with the first byte.
    ///
    /// - Returns: How many bytes the system took; 0, and nothing was sent, when it has no room or other writes wait.
    /// - Throws: As ``write(_:sending:)``.
    ///
    /// Calls `uv_try_write2`.
    public func tryWrite(_ bytes: [UInt8], sending handle: StreamHandle) throws(UVError) -> Int {
        _ = try checkSending(bytes, handle)
        if hasBacklog { return 0 }
        let status = unsafe bytes.withUnsafeBufferPointer { bytes in
            var buffer = unsafe uv_buf_t(bytes)
            return unsafe uv_try_write2(stream, &buffer, 1, handle.stream)
        }
        if status >= 0 { loop.tally.bytesSent.add(Int(status)) }
        return status >= 0 ? Int(status) : try refused(status, "write")
    }

    private func write(
        _ bytes: [UInt8], sending handle: StreamHandle, _ onDone: ((StreamHandle, UVError?) -> Void)?
    ) throws(UVError) -> WriteOutcome {
        let sent = try tryWrite(bytes, sending: handle)
        if sent == bytes.count { return .sent }
        if sent > 0 {
            try queue(bytes, from: sent, isBegun: true, onDone)
            return .queued
        }
        // libuv would send whatever has the number by then, or use a handle that is gone. So what waits is a duplicate.
        let duplicate = cplatform_duplicate(try checkSending(bytes, handle))
        try checkSystem(duplicate, "write", of: "a duplicate of what is sent")
        let copy = try TCPHandle(on: loop, adopting: duplicate, of: nil)
        copy.isInternal = true
        do { try makeBacklog().add(bytes, from: 0, tag: nil, isBegun: false, sending: copy, onDone, to: self) } catch {
            copy.close()
            throw error
        }
        return .queued
    }

    private func checkSending(_ bytes: [UInt8], _ handle: StreamHandle) throws(UVError) -> CInt {
        try checkWritable("write")
        if !isIPC { throw UVError(.invalidArgument, in: "write", of: "a socket over a handle made without ipc: true") }
        if bytes.isEmpty { throw UVError(.invalidArgument, in: "write", of: "a socket without a byte") }
        return try handle.fileDescriptor.rawValue
    }

    // MARK: Receiving

    /// How many descriptors have come and wait to be accepted; they are closed with the handle. Ask in each call of `onBytes`.
    ///
    /// Calls `uv_pipe_pending_count`.
    public var pendingCount: Int {
        checkThread()
        return unsafe isOpen ? Int(uv_pipe_pending_count(raw)) : 0
    }

    /// What the next descriptor is: `tcp`, `pipe`, `udp`, `file`, …; `nil` when none waits.
    ///
    /// Calls `uv_pipe_pending_type`, `uv_handle_type_name`.
    public var pendingKind: Kind? {
        guard pendingCount > 0 else { return nil }
        return unsafe Kind(
            name: uv_handle_type_name(uv_pipe_pending_type(raw)).map { unsafe String(cString: $0) } ?? "unknown")
    }

    /// Takes the next descriptor that has come into a handle without one: a ``TCPHandle`` for `tcp`, a ``PipeHandle`` for `pipe`.
    ///
    /// A listening socket is of the same kind as a connection: `listen` with the handle then.
    ///
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when none waits, `.invalidArgument` for a handle of another
    ///   kind, `.resourceBusy` for one that has a socket, `.badFileDescriptor` for a closed one; the descriptor waits on then.
    ///
    /// Calls `uv_accept`.
    public func acceptPending(into handle: StreamHandle) throws(UVError) {
        try checkOpen("acceptPending")
        try handle.checkOpen("acceptPending")
        guard let kind = pendingKind else {
            throw UVError(
                .resourceTemporarilyUnavailable, in: "acceptPending", of: "a pipe without pending descriptors")
        }
        guard kind == handle.kind, handle.loop === loop else {
            throw UVError(
                .invalidArgument, in: "acceptPending", of: "a pending \(kind.name) into a \(handle.kind.name)")
        }
        // libuv would close what has come.
        if (try? handle.fileDescriptor) != nil {
            throw UVError(.resourceBusy, in: "acceptPending", of: "a handle with a socket")
        }
        try takePending(into: handle)
    }

    /// Closes the next descriptor that has come, of any kind. Harmless when there is none.
    public func dropPending() {
        guard pendingCount > 0, let handle = try? PipeHandle(on: loop) else { return }
        handle.isInternal = true
        try? takePending(into: handle)
        handle.close()
    }

    private func takePending(into handle: StreamHandle) throws(UVError) {
        let isReading = unsafe uv_is_active(base) != 0
        defer {
            // libuv watches the pipe after the last one, read or not: then it would turn without end at the next byte.
            if !isReading { stopWatching() }
        }
        try check(unsafe uv_accept(stream, handle.stream), "acceptPending", of: "descriptor of a pipe")
    }
}
