internal import CLibuv

extension StreamHandle {
    /// Reads from now on: `onBytes` for each chunk, then `onEnd` once, with `nil` when the peer has finished.
    ///
    /// Started again after ``stopReading()`` it replaces the closures. After `onEnd` nothing more comes; writing goes on.
    ///
    /// - Throws: ``UVError`` with `.alreadyInProcess` while reading, `.socketNotConnected` without a connection,
    ///   `.connectionReset` when the peer is gone.
    ///
    /// Calls `uv_read_start`.
    public func startReading(
        onBytes: @escaping (StreamHandle, Span<UInt8>) -> Void,
        onEnd: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) {
        try checkOpen("startReading")
        try checkReadable("startReading")
        if unsafe receiver.isInUse {
            throw UVError(.alreadyInProcess, in: "startReading", of: "a stream with a read waiting")
        }
        if unsafe receiver.isReading { stopReadingAhead() }
        try start("startReading")
        unsafe receiver.clear()
        unsafe self.onBytes = onBytes
        unsafe self.onEnd = onEnd
    }

    /// Stops reading until ``resumeReading()``: the peer is slowed down once the system's buffers are full.
    ///
    /// Harmless when the stream is not being read; a ``read(upTo:onDone:)`` goes on. Calls `uv_read_stop`.
    public func stopReading() {
        checkThread()
        if isOpen, unsafe onBytes != nil { unsafe uv_read_stop(stream) }
    }

    /// Whether ``startReading(onBytes:onEnd:)`` is under way.
    var isBeingRead: Bool { unsafe onBytes != nil }

    func stopReadingAhead() {
        unsafe uv_read_stop(stream)
        unsafe receiver.isReading = false
    }

    /// Makes libuv forget that it watches a stream that nobody reads.
    func stopWatching() {
        unsafe uv_read_start(stream, provideBuffer, bytesArrived)
        unsafe uv_read_stop(stream)
    }

    /// Goes on after ``stopReading()``, with the same closures. Harmless when there is nothing to go on with.
    public func resumeReading() {
        checkThread()
        // A closed or ended stream has dropped its closures.
        if isOpen, unsafe onBytes != nil { unsafe uv_read_start(stream, provideBuffer, bytesArrived) }
    }

    /// Takes one chunk, for code that asks for its bytes instead of being given them.
    ///
    /// At most one chunk is read ahead of demand; it is returned at once by the next call.
    ///
    /// - Parameter limit: The most bytes to take; 65,536 at most come at a time.
    /// - Parameter onDone: Called with the bytes, or with `nil` at the end; only after `.waiting`.
    /// - Throws: ``UVError`` with `.alreadyInProcess` while another read or ``startReading(onBytes:onEnd:)`` is under
    ///   way, `.invalidArgument` for a limit below 1, and what ended the stream: `.connectionReset`.
    ///
    /// Calls `uv_read_start`, `uv_read_stop`.
    public func read(
        upTo limit: Int = 65_536, onDone: @escaping (StreamHandle, Result<[UInt8]?, UVError>) -> Void
    ) throws(UVError) -> ReadOutcome {
        try checkOpen("read")
        try checkReadable("read")
        if unsafe onBytes != nil { return try readFiltered(upTo: limit, onDone) }
        if limit < 1 { throw readError(.invalidArgument, in: "read", of: "up to \(limit) bytes") }
        let outcome = try unsafe receiver.take(upTo: limit, onDone)
        if unsafe receiver.isReading { return outcome }
        if case .waiting = outcome { try readOn() }
        return outcome
    }

    @inline(never)
    private func readOn() throws(UVError) {
        do { try start("read") } catch {
            unsafe receiver.onDone = nil
            throw error
        }
        unsafe receiver.isReading = true
    }

    private func start(_ operation: StaticString) throws(UVError) {
        let status = unsafe uv_read_start(stream, provideBuffer, bytesArrived)
        guard status < 0 else { return }
        // libuv no longer counts a connection as one after the peer has reset it.
        let isGone = unsafe status == UV_ENOTCONN.rawValue && hasEnded
        throw readError(isGone ? .connectionReset : .init(rawValue: status), in: operation)
    }

    /// Takes back a ``read(upTo:onDone:)`` that is waiting: its closure is dropped, no byte is lost.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public func cancelRead() -> Bool {
        checkThread()
        unsafe receiver.isLent = false
        return unsafe receiver.onDone.take() != nil
    }

    private func checkReadable(_ operation: StaticString) throws(UVError) {
        if acceptor != nil { throw UVError(.socketNotConnected, in: operation.description, of: "a listening stream") }
    }
}
