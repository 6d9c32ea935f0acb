internal import CLibuv
internal import CPlatform
internal import SystemPackage

extension StreamHandle {
    private typealias Closure = (StreamHandle, UVError?) -> Void

    /// Writes all of the bytes, after everything written before.
    ///
    /// As much as fits goes to the system at once; a copy of the rest waits. Many writes that wait leave together.
    ///
    /// - Returns: `.sent` or `.queued`. Nothing to write is `.sent`.
    /// - Throws: ``UVError`` with `.brokenPipe` or `.connectionReset` when the peer is gone, `.socketShutdown` after
    ///   ``finishWriting(onDone:)``, `.socketNotConnected` without a connection. Nothing was kept.
    ///
    /// Calls `uv_try_write`, `uv_write`.
    @discardableResult
    public final func write(_ bytes: Span<UInt8>) throws(UVError) -> WriteOutcome { try write(bytes, nil) }

    /// Writes all of the bytes. Otherwise as `write(_:)`.
    ///
    /// - Parameter onDone: Called once after `.queued`: with `nil` when the system has the bytes, with `.canceled` when
    ///   the handle was closed first, or with what ended the stream; bytes may have been sent then.
    /// - Returns: `.sent`, and `onDone` was dropped, or `.queued`. Nothing to write is queued behind what waits.
    public final func write(
        _ bytes: Span<UInt8>, onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try write(bytes, onDone) }

    /// Writes all of the bytes; what does not fit waits without being copied. Otherwise as `write(_:)`.
    @discardableResult
    public final func write(_ bytes: [UInt8]) throws(UVError) -> WriteOutcome { try write(bytes, nil) }

    /// Writes all of the bytes; what does not fit waits without being copied. Otherwise as `write(_:onDone:)`.
    public final func write(
        _ bytes: [UInt8], onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try write(bytes, onDone) }

    /// Writes a text in UTF-8. Otherwise as `write(_:)`.
    @discardableResult
    public final func write(_ text: String) throws(UVError) -> WriteOutcome { try write(Array(text.utf8), nil) }

    /// Writes a text in UTF-8. Otherwise as `write(_:onDone:)`.
    public final func write(
        _ text: String, onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try write(Array(text.utf8), onDone) }

    /// Writes several arrays in one system call where they fit. Otherwise as `write(_:)`.
    @discardableResult
    public final func write(contentsOf chunks: [[UInt8]]) throws(UVError) -> WriteOutcome { try write(chunks, nil) }

    /// Writes several arrays in one system call where they fit. Otherwise as `write(_:onDone:)`.
    public final func write(
        contentsOf chunks: [[UInt8]], onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try write(chunks, onDone) }

    @inline(__always)
    private final func write(_ bytes: Span<UInt8>, _ onDone: Closure?) throws(UVError) -> WriteOutcome {
        try checkWritable("write")
        let sent = try send(bytes, "write")
        if sent == bytes.count, !hasBacklog || (bytes.isEmpty && onDone == nil) { return .sent }
        try queue([UInt8](copying: bytes.extracting(droppingFirst: sent)), from: 0, onDone)
        return .queued
    }

    @inline(__always)
    private final func write(_ bytes: [UInt8], _ onDone: Closure?) throws(UVError) -> WriteOutcome {
        try checkWritable("write")
        let sent = try send(bytes.span, "write")
        if sent == bytes.count, !hasBacklog || (bytes.isEmpty && onDone == nil) { return .sent }
        try queue(bytes, from: sent, onDone)
        return .queued
    }

    private final func write(_ chunks: [[UInt8]], _ onDone: Closure?) throws(UVError) -> WriteOutcome {
        try checkWritable("write")
        let sent = hasBacklog ? 0 : try send(chunks)
        if try queue(chunks, droppingFirst: sent, tag: nil, onDone) { return .queued }
        // All is with the system, or there was nothing: it keeps its place in the order.
        guard hasBacklog, onDone != nil else { return .sent }
        try queue([], from: 0, onDone)
        return .queued
    }

    /// Queues what ``tryWrite(contentsOf:)`` has not sent, behind everything written before; if that is nothing, it waits
    /// for its turn all the same. Copies nothing.
    ///
    /// - Parameter sent: How many of the bytes have been sent.
    /// - Parameter tag: Names the write for ``takeBack(_:)``; kept until the write has ended.
    /// - Parameter onDone: As in `write(_:onDone:)`.
    /// - Throws: As `write(_:onDone:)`.
    ///
    /// Calls `uv_write`.
    package final func queueWrite(
        _ chunks: [[UInt8]], droppingFirst sent: Int, tag: AnyObject? = nil,
        onDone: @escaping (StreamHandle, UVError?) -> Void
    ) throws(UVError) {
        try checkWritable("write")
        if try queue(chunks, droppingFirst: sent, tag: tag, onDone) { return }
        try queue([], from: 0, tag: tag, onDone)
    }

    /// Takes back a queued write of which nothing has left: its `onDone` is not called.
    ///
    /// - Parameter tag: What ``queueWrite(_:droppingFirst:tag:onDone:)`` was given.
    /// - Returns: False when the write has begun, which is then sent to its end, or when there is none.
    @discardableResult
    package final func takeBack(_ tag: AnyObject) -> Bool {
        checkThread()
        return unsafe backlog?.takeBack(tag) ?? false
    }

    /// Writes what fits at once.
    ///
    /// - Returns: How many bytes the system took; 0 when it has no room or other writes wait.
    /// - Throws: As `write(_:onDone:)`.
    ///
    /// Calls `uv_try_write`.
    public final func tryWrite(_ bytes: Span<UInt8>) throws(UVError) -> Int {
        try checkWritable("write")
        return try send(bytes, "write")
    }

    /// Writes what fits of several arrays at once, in one system call. Otherwise as ``tryWrite(_:)``.
    public final func tryWrite(contentsOf chunks: [[UInt8]]) throws(UVError) -> Int {
        try checkWritable("write")
        return hasBacklog ? 0 : try send(chunks)
    }

    /// How many bytes wait to be taken by the system. Calls `uv_stream_get_write_queue_size`.
    public final var writeQueueSize: Int {
        checkThread()
        let inLibuv = unsafe isOpen ? uv_stream_get_write_queue_size(stream) : 0
        return unsafe inLibuv + (backlog?.waitingBytes ?? 0)
    }

    /// How many of these libuv has, and how many the system has that the peer's has not acknowledged. It changes whenever the
    /// peer takes some: the system takes more from libuv only when a third of its own buffer, often megabytes, is free again.
    package final var leavingBytes: Int {
        guard isOpen, let descriptor = try? fileDescriptor.rawValue else { return 0 }
        return unsafe uv_stream_get_write_queue_size(stream) + Int(cplatform_unacknowledged_bytes(descriptor))
    }

    /// Finishes our side after what waits has been sent: the peer reads to the end. Reading goes on.
    ///
    /// - Parameter onDone: Called once, with `.canceled` when the handle was closed first.
    /// - Throws: ``UVError`` with `.socketNotConnected` without a connection and when called twice, `.brokenPipe` and
    ///   relatives when the peer is gone; `onDone` gets those too.
    ///
    /// Calls `uv_shutdown`.
    public final func finishWriting(onDone: ((StreamHandle, UVError?) -> Void)? = nil) throws(UVError) {
        try checkOpen("finishWriting")
        if let failure = unsafe backlog?.failure, unsafe !hasShutDown {
            throw writeError(failure.code, in: "finishWriting")
        }
        // libuv would take a shutdown during a connect for the end of the connect: writes that wait for it come first.
        let isConnecting = unsafe stream.pointee.connect_req != nil
        guard unsafe !hasShutDown, unsafe uv_is_writable(stream) != 0, !isConnecting || hasBacklog else {
            // libuv no longer counts a connection as one after the peer has reset it.
            throw writeError(unsafe hasEnded && !hasShutDown ? .brokenPipe : .socketNotConnected, in: "finishWriting")
        }
        let request = ShutdownRequest(self, onDone)
        let backlog = makeBacklog()
        try backlog.addEnd(to: self)
        backlog.shutdownWaits = backlog.isBusy || isConnecting
        if !backlog.shutdownWaits { try request.begin() }
        backlog.shutdown = request
        unsafe hasShutDown = true
    }

    /// Sends what waits, finishes our side and closes.
    ///
    /// It waits for a peer that does not read; ``Handle/close(onClosed:)`` does not. A peer that still sends gets all that was
    /// written nevertheless: the socket lives on without its handle, and what comes is read and dropped until the peer
    /// finishes too, is silent for two to four seconds, or has sent 16 MiB; it ends after 30 s in any case.
    ///
    /// - Parameter onClosed: As in ``Handle/close(onClosed:)``; called as well when the handle is closed otherwise meanwhile.
    public final func closeAfterWrites(onClosed: ((Handle) -> Void)? = nil) {
        checkThread()
        if let onClosed { whenClosed(onClosed) }
        guard isOpen else { return }
        if let shutdown = unsafe backlog?.shutdown {
            shutdown.closesWhenDone = true
            return
        }
        do throws(UVError) { try finishWriting { stream, _ in stream.closeGently() } } catch { closeGently() }
    }

    // MARK: Inside

    final var hasBacklog: Bool { unsafe backlog?.isBusy ?? false }

    /// Whether new bytes must not go straight to the system: others wait, or they go through a filter.
    final var isDiverted: Bool { unsafe backlog?.isDiverted ?? false }

    @inline(__always)
    final func checkWritable(_ operation: StaticString) throws(UVError) {
        try checkOpen(operation)
        if unsafe hasShutDown { throw writeError(.socketShutdown, in: operation) }
        if let failure = unsafe backlog?.failure { throw failure }
    }

    /// What the system takes at once.
    @inline(__always)
    private final func send(_ bytes: Span<UInt8>, _ operation: StaticString) throws(UVError) -> Int {
        if isDiverted || bytes.isEmpty { return try sendDiverted(bytes) }
        return try sendRaw(bytes, operation)
    }

    /// What the system takes at once, as it is.
    @inline(__always)
    final func sendRaw(_ bytes: Span<UInt8>, _ operation: StaticString = "write") throws(UVError) -> Int {
        let status = unsafe bytes.withUnsafeBufferPointer { bytes in
            var buffer = unsafe uv_buf_t(bytes)
            return unsafe uv_try_write(stream, &buffer, 1)
        }
        if status >= 0 {
            loop.tally.bytesSent.add(Int(status))
            return Int(status)
        }
        return try refused(status, operation)
    }

    /// Turns a status into a number of bytes: 0 when the system had no room. Any other negative status is an error.
    @inline(never)
    final func refused(_ status: CInt, _ operation: StaticString) throws(UVError) -> Int {
        if status == UV_EAGAIN.rawValue { return 0 }
        // libuv has no descriptor yet: the handle itself is open.
        throw writeError(status == UV_EBADF.rawValue ? .socketNotConnected : .init(rawValue: status), in: operation)
    }

    private final func send(_ chunks: [[UInt8]]) throws(UVError) -> Int {
        let full = chunks.filter { !$0.isEmpty }
        if full.isEmpty { return 0 }
        if isFiltered { return try sendDiverted(full) }
        let buffers = unsafe full.prefix(WriteBacklog.mostChunks).map { unsafe uv_buf_t(stableBytesOf: $0, from: 0) }
        let status = withExtendedLifetime(full) {
            unsafe uv_try_write(stream, buffers, UInt32(buffers.count))
        }
        if status >= 0 { loop.tally.bytesSent.add(Int(status)) }
        return status >= 0 ? Int(status) : try refused(status, "write")
    }

    /// - Returns: False when nothing was left to be queued.
    private final func queue(
        _ chunks: [[UInt8]], droppingFirst sent: Int, tag: AnyObject?, _ onDone: ((StreamHandle, UVError?) -> Void)?
    ) throws(UVError) -> Bool {
        var sentHere = sent
        let rest = chunks.drop { chunk in
            guard sentHere >= chunk.count else { return false }
            sentHere -= chunk.count
            return true
        }
        guard let last = rest.indices.last else { return false }
        for index in rest.indices {
            let isStart = index == rest.startIndex
            try queue(
                rest[index], from: isStart ? sentHere : 0, tag: tag, isBegun: !isStart || sent > 0,
                index == last ? onDone : nil)
        }
        return true
    }

    final func queue(
        _ bytes: [UInt8], from start: Int, tag: AnyObject? = nil, isBegun: Bool = false,
        _ onDone: ((StreamHandle, UVError?) -> Void)?
    ) throws(UVError) {
        try makeBacklog().add(bytes, from: start, tag: tag, isBegun: isBegun, onDone, to: self)
    }

    final func makeBacklog() -> WriteBacklog {
        if let backlog = unsafe backlog { return backlog }
        let made = WriteBacklog()
        unsafe backlog = made
        return made
    }
}

extension uv_buf_t {
    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        unsafe self.init(
            base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
            len: bytes.count)
    }

    init(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe self.init(base: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), len: bytes.count)
    }

    /// Points into an array's storage, which stays in place as long as the array is kept and not changed.
    init(stableBytesOf array: [UInt8], from start: Int) {
        unsafe self = array.withUnsafeBufferPointer { unsafe uv_buf_t(UnsafeBufferPointer(rebasing: $0[start...])) }
    }
}
