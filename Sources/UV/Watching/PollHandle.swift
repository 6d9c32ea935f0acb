internal import CLibuv
internal import CPlatform
public import SystemPackage

/// Tells when a descriptor of somebody else's can be read or written.
///
/// The handle watches a duplicate of the descriptor, so that closing the original behind its back is harmless; the
/// other end sees the close only when the handle is closed too.
public final class PollHandle: Handle {
    /// What a descriptor is ready for.
    public struct Events: OptionSet, Hashable, Sendable {
        public let rawValue: CInt
        public init(rawValue: CInt) { self.rawValue = rawValue }
        /// A read will not block; at the end of the data too.
        public static let readable = Events(rawValue: 1)
        /// A write will not block.
        public static let writable = Events(rawValue: 2)
        /// The other end has finished sending.
        public static let disconnected = Events(rawValue: 4)
        /// There is urgent data, or an exceptional condition of the device.
        public static let prioritized = Events(rawValue: 8)
    }

    private var onReady: ((PollHandle, Result<Events, UVError>) -> Void)?
    private var events: Events = []
    private var once = false
    private let descriptor: CInt
    /// The number that its user knows.
    private let number: CInt
    /// Leaves the error of a socket to its owner: a failure makes it ready.
    package var leavesErrors = false
    private let ownsDescriptor: Bool
    private var raw: UnsafeMutablePointer<uv_poll_t> { unsafe memory.assumingMemoryBound(to: uv_poll_t.self) }

    /// Creates a handle that watches nothing yet.
    ///
    /// The descriptor becomes non-blocking and stays non-blocking when the handle is closed, because the flag belongs to the open
    /// file and all its duplicates, in other processes too. If you need it blocking again, set that after the close.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` for a closed one, `.notPermitted` for a regular file or
    ///   directory, which are always ready, `.tooManyOpenFiles` when there is no room for the duplicate.
    ///
    /// Calls `uv_poll_init`.
    public convenience init(
        on loop: Loop, watching descriptor: FileDescriptor, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let duplicate = cplatform_duplicate(descriptor.rawValue)
        try checkSystem(duplicate, "poll handle creation", of: "descriptor \(descriptor.rawValue)")
        try self.init(on: loop, descriptor: duplicate, number: descriptor.rawValue, owns: true, file, line)
    }

    /// Watches a descriptor that another handle owns and closes after this one.
    convenience init(
        on loop: Loop, borrowing descriptor: CInt, _ file: StaticString = #fileID, _ line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, descriptor: descriptor, number: descriptor, owns: false, file, line)
        isInternal = true
    }

    private init(
        on loop: Loop, descriptor: CInt, number: CInt, owns: Bool, _ file: StaticString, _ line: UInt
    ) throws(UVError) {
        self.descriptor = descriptor
        self.number = number
        ownsDescriptor = owns
        do {
            unsafe try super.init(
                on: loop, as: uv_poll_t.self, "poll handle creation", of: "descriptor \(number)", file, line
            ) { unsafe uv_poll_init(loop.raw, $0, descriptor) }
        } catch {
            if owns { SystemPackage.FileDescriptor(rawValue: descriptor).closeIgnoringErrors() }
            throw error
        }
    }

    /// Watches for events, in place of earlier ones.
    ///
    /// Readiness is a level: the closure is called in each turn until the cause is gone. A failure (the peer's reset)
    /// comes once with the socket's own error.
    ///
    /// - Parameter once: Stop before the first call.
    /// - Throws: ``UVError`` with `.invalidArgument` for no events.
    ///
    /// Calls `uv_poll_start`.
    public func start(
        _ events: Events, once: Bool = false, _ onReady: @escaping (PollHandle, Result<Events, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("start")
        guard !events.isEmpty, events.isSubset(of: [.readable, .writable, .disconnected, .prioritized]) else {
            throw UVError(.invalidArgument, in: "start", of: "a poll handle with events \(events.rawValue)")
        }
        try check(unsafe uv_poll_start(raw, events.rawValue, pollReady), "start", of: "descriptor \(number)")
        self.events = events
        self.once = once
        self.onReady = onReady
    }

    /// Stops watching and drops the closure. A stopped handle may be stopped again. Calls `uv_poll_stop`.
    public func stop() {
        checkThread()
        guard isOpen else { return }
        unsafe uv_poll_stop(raw)
        onReady = nil
    }

    override func dropClosures() { onReady = nil }

    override func didClose() {
        if ownsDescriptor { SystemPackage.FileDescriptor(rawValue: descriptor).closeIgnoringErrors() }
    }

    fileprivate func ready(_ status: CInt, _ ready: CInt) {
        guard let call = onReady else { return }
        let result = status < 0 ? failure(status) : .success(Events(rawValue: ready))
        if once { stop() }
        call(self, result)
    }

    /// libuv reports any error of the descriptor as EBADF and stops. The socket itself knows the real error.
    private func failure(_ status: CInt) -> Result<Events, UVError> {
        unsafe uv_poll_start(raw, events.rawValue, pollReady)
        if leavesErrors { return .success(events) }
        let error = SocketOption.takeError(of: descriptor)
        // The descriptor is a pipe whose other end is gone: the next read or write reports it.
        if error == 0, status == UV_EBADF.rawValue { return .success(events) }
        let code = UVError.Code(rawValue: error == 0 ? status : -error)
        return .failure(UVError(code, in: "poll", of: "descriptor \(number)"))
    }
}

extension SystemPackage.FileDescriptor {
    /// Closes where nobody could act on an error: on Linux the descriptor is gone in any case.
    func closeIgnoringErrors() { try? close() }
}

private func pollReady(_ raw: UnsafeMutablePointer<uv_poll_t>?, _ status: CInt, _ events: CInt) {
    unsafe callBack(raw, PollHandle.self) { $0.ready(status, events) }
}
