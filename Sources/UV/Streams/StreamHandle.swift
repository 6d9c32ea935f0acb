internal import CLibuv
internal import CPlatform
internal import SystemPackage

/// A connection of bytes, both ways: the base of TCP and pipes.
///
/// Reading and writing are independent. Bytes come as a lent `Span<UInt8>`, valid during the call only.
public class StreamHandle: Handle {
    /// How ``read(upTo:onDone:)`` went.
    public enum ReadOutcome: Sendable {
        /// These bytes were there already; the closure is not called.
        case bytes([UInt8])
        /// The peer has finished; the closure is not called.
        case ended
        /// The closure will be called.
        case waiting
    }

    /// What belongs with the stream in the async layer. Dropped when the close has finished.
    @exclusivity(unchecked) private final var attached: AnyObject?
    package final var attachment: AnyObject? {
        get { unsafe attached }
        set { unsafe attached = newValue }
    }
    /// The ``attachment`` without a retain. In the stream's callbacks it lives; elsewhere until the stream is closed.
    package final var lentAttachment: Unmanaged<AnyObject>? { unsafe attached.map { unsafe .passUnretained($0) } }
    @exclusivity(unchecked) final var onBytes: ((StreamHandle, Span<UInt8>) -> Void)?
    @exclusivity(unchecked) final var onEnd: ((StreamHandle, UVError?) -> Void)?
    @exclusivity(unchecked) final var receiver = Receiver()
    /// Whether the peer has finished. libuv calls a stream readable even after that.
    @exclusivity(unchecked) final var hasEnded = false
    /// Whether a write has been told of the peer's reset: the system tells it once, and a read would see a clean end.
    private final var wasReset = false
    @exclusivity(unchecked) final var hasShutDown = false
    /// Whether reads and writes block: see ``setBlocking(enabled:)``. It stands here because there is room for a byte.
    private(set) final var isBlocking = false
    /// Whether the loop counts the stream among its connections. There is room for this byte, too.
    private final var isCounted = false
    /// Made when a write did not fit into the socket, and for the end of our side.
    @exclusivity(unchecked) final var backlog: WriteBacklog?
    /// Accepts connections, if the stream is a listener.
    final var acceptor: Acceptor?

    @inline(__always)
    final var stream: UnsafeMutablePointer<uv_stream_t> { unsafe memory.assumingMemoryBound(to: uv_stream_t.self) }

    // MARK: State

    /// Whether the stream can be read: connected, and the peer has not finished. Calls `uv_is_readable`.
    public final var isReadable: Bool {
        checkThread()
        return unsafe isOpen && !hasEnded && uv_is_readable(stream) != 0
    }

    /// Whether the system has bytes that no read has taken yet, although one waits.
    package final var hasUnreadBytes: Bool {
        guard let descriptor = try? fileDescriptor.rawValue else { return false }
        return cplatform_unread_bytes(descriptor) > 0
    }

    /// Whether the stream can be written to: connected and not shut down. Calls `uv_is_writable`.
    public final var isWritable: Bool {
        checkThread()
        return unsafe isOpen && !hasShutDown && uv_is_writable(stream) != 0
    }

    /// Makes reads and writes block the loop's thread, for terminals and pipes that other programs share.
    ///
    /// Calls `uv_stream_set_blocking`.
    public final func setBlocking(enabled: Bool) throws(UVError) {
        try checkOpen("setBlocking")
        try check(unsafe uv_stream_set_blocking(stream, enabled ? 1 : 0), "setBlocking")
        isBlocking = enabled
    }

    // MARK: State that the acceptor shares

    public override final var isActive: Bool { super.isActive || acceptor?.isActive == true }

    public override final var keepsLoopAlive: Bool {
        get { super.keepsLoopAlive }
        set {
            super.keepsLoopAlive = newValue
            acceptor?.keepsLoopAlive = newValue
        }
    }

    // MARK: Errors

    /// Who is at the other end, where that has a name.
    package var peerName: String? { nil }

    /// Where this side is, for errors.
    var localName: String? { nil }

    /// Whether there may be bytes that no read has taken yet when the other side has gone. libuv takes a short read for the last one
    /// then; but a read of a local socket, for one, ends behind bytes that came with descriptors, whether anybody takes those or not.
    func mayHaveMoreAtHangUp() -> Bool { hasUnreadBytes }

    /// Whether a read fails like that because the other side has gone, which is the end.
    func isHangUpError(_ status: CInt) -> Bool { false }

    /// Gives the handle a socket to listen with, if it has none.
    func prepareToListen() throws(UVError) {}

    package final func readError(_ code: UVError.Code, in operation: StaticString) -> UVError {
        UVError(code, in: operation.description, from: peerName)
    }

    /// - Parameter piece: What was to be read.
    @inline(never)
    package final func readError(_ code: UVError.Code, in operation: String, of piece: String) -> UVError {
        guard let peer = peerName else { return UVError(code, in: operation, of: piece) }
        return UVError(code, in: operation, from: "\(peer), \(piece)")
    }

    package final func writeError(_ code: UVError.Code, in operation: StaticString = "write") -> UVError {
        if code == .connectionReset { wasReset = true }
        return UVError(code, in: operation.description, to: peerName)
    }

    override var noun: String { peerName.map { "connection with \($0)" } ?? super.noun }

    // MARK: Called by libuv

    @inline(__always)
    fileprivate final var bufferSize: Int { unsafe Int(receiver.limit) }

    @inline(__always)
    fileprivate final func arrived(_ count: Int, _ buffer: UnsafePointer<uv_buf_t>?) {
        // An empty read says that the socket was ready but held nothing. It is not the end.
        guard count != 0 else { return }
        guard count > 0 else { return unsafe ended(CInt(count), isHangUp: buffer?.pointee.base == nil) }
        loop.tally.bytesReceived.add(count)
        let start = unsafe UnsafeRawPointer(buffer.unsafelyUnwrapped.pointee.base.unsafelyUnwrapped)
        let bytes = unsafe Span<UInt8>(
            _unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: count)
        if let onBytes = unsafe onBytes {
            onBytes(self, bytes)
        } else if let call = unsafe receiver.onDone.take() {
            call(self, .success(unsafe receiver.isLent ? lend(bytes) : loop.readMemory.take(bytes)))
        } else {
            unsafe receiver.keep(loop.readMemory.take(bytes))
            stopReadingAhead()
        }
    }

    /// - Parameter isHangUp: Whether libuv has seen a hang-up, and not read the end. It gives no buffer then.
    private final func ended(_ status: CInt, isHangUp: Bool) {
        if status == UV_EOF.rawValue, isHangUp, mayHaveMoreAtHangUp(),
            unsafe uv_read_start(stream, provideBuffer, bytesArrived) == 0
        {
            return
        }
        let isEnd = status == UV_EOF.rawValue || isHangUpError(status)
        let status = isEnd ? errorAtEnd(isHangUp) : status
        let error = status < 0 ? readError(.init(rawValue: status), in: "read") : nil
        unsafe onBytes = nil
        unsafe hasEnded = true
        if let call = unsafe onEnd.take() { return call(self, error) }
        let call = unsafe receiver.onDone.take()
        // An error is reported once: to the read that waits, or to the next one.
        unsafe receiver.keepEnd(call == nil ? error : nil)
        call?(self, error.map { .failure($0) } ?? .success(nil))
    }

    /// Asks the socket for its error when libuv has seen a hang-up. libuv takes that for the end, also that of a reset which has cut
    /// off bytes. An end that was read is one: a read would have told of the error.
    private final func errorAtEnd(_ isHangUp: Bool) -> CInt {
        if wasReset { return UV_ECONNRESET.rawValue }
        guard isHangUp else { return 0 }
        guard let descriptor = try? fileDescriptor.rawValue else { return 0 }
        let error = SocketOption.takeError(of: descriptor)
        // After the peer's end this one is about our side.
        return error == EPIPE ? 0 : -error
    }

    override func dropClosures() {
        unsafe onBytes = nil
        unsafe onEnd = nil
        let waiting = unsafe receiver.onDone.take()
        unsafe receiver.clear()
        if let waiting { cancelAtClose(waiting) }
    }

    // Before the socket is closed: libuv aborts when a watched descriptor vanishes.
    override func willClose() {
        acceptor?.close()
        if isCounted { loop.tally.connections.add(-1) }
        isCounted = false
    }

    final func noteAccepted() {
        loop.tally.accepted.add(1)
        countConnection()
    }

    final func noteConnected() {
        loop.tally.connected.add(1)
        countConnection()
    }

    /// The stream has become a connection, which counts until it is closed.
    final func countConnection() {
        if isCounted || !isOpen { return }
        isCounted = true
        loop.tally.connections.add(1)
    }

    override func didClose() {
        attachment = nil
        acceptor = nil
    }

    /// A waiting read is an operation: it ends once, like every other, when the close does.
    private final func cancelAtClose(_ waiting: @escaping (StreamHandle, Result<[UInt8]?, UVError>) -> Void) {
        beforeClosed { handle in
            let stream = unsafe unsafeDowncast(handle, to: StreamHandle.self)
            waiting(stream, .failure(stream.readError(.canceled, in: "read")))
        }
    }
}

func provideBuffer(
    _ raw: UnsafeMutablePointer<uv_handle_t>?, _ suggested: Int, _ buffer: UnsafeMutablePointer<uv_buf_t>?
) {
    let data = unsafe raw.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
    unsafe Unmanaged<StreamHandle>.fromOpaque(data)._withUnsafeGuaranteedRef { stream in
        let memory = unsafe stream.loop.readMemory.buffer
        unsafe buffer.unsafelyUnwrapped.pointee.base = memory.baseAddress.unsafelyUnwrapped
            .assumingMemoryBound(to: CChar.self)
        unsafe buffer.unsafelyUnwrapped.pointee.len = stream.bufferSize
    }
}

func bytesArrived(
    _ raw: UnsafeMutablePointer<uv_stream_t>?, _ count: Int, _ buffer: UnsafePointer<uv_buf_t>?
) {
    unsafe callBack(raw, StreamHandle.self) { unsafe $0.arrived(count, buffer) }
}
