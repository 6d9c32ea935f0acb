internal import CLibuv
public import SystemPackage

/// Something that lives on a loop: a timer, a socket, a watcher.
///
/// A handle belongs to its loop from creation until its close has finished: dropping the last reference neither closes
/// it nor leaks it past the loop. It is used on the loop's thread only. After ``close(onClosed:)`` every operation
/// throws ``UVError`` with `.badFileDescriptor`.
@safe
public class Handle {
    private enum State { case open, closing, closed }

    /// The loop that the handle lives on.
    public final let loop: Loop
    /// A name of the user's own for lists of open handles.
    public final var label: String?

    /// The libuv struct. libuv keeps this address until the close callback.
    final let memory: UnsafeMutableRawPointer
    @exclusivity(unchecked) private final var state = State.open
    /// Part of something else, which closes it: not listed to users.
    package final var isInternal = false
    private final let line: UInt16
    /// When it was made: see ``Loop/moment``. It fills a gap.
    private final let made: UInt32
    private final let file: UnsafePointer<UInt8>
    private final var onClosed: ((Handle) -> Void)?

    init<Struct>(
        on loop: Loop, as: Struct.Type, _ operation: StaticString, of subject: String? = nil,
        _ file: StaticString, _ line: UInt,
        _ initialize: (UnsafeMutablePointer<Struct>) -> CInt
    ) throws(UVError) {
        let raw = UnsafeMutablePointer<Struct>.allocate(capacity: 1)
        self.loop = loop
        unsafe memory = UnsafeMutableRawPointer(raw)
        unsafe self.file = file.utf8Start
        self.line = UInt16(clamping: line)
        made = loop.moment
        checkThread()
        try check(loop.isUsable ? unsafe initialize(raw) : UV_EBADF.rawValue, operation, of: subject)
        unsafe base.pointee.data = Unmanaged.passRetained(self).toOpaque()
        if Tracing.isOn { loop.noteOrigin(of: self) }
    }

    deinit { unsafe memory.deallocate() }

    // MARK: State

    /// What sort of handle this is. Calls `uv_handle_get_type`, `uv_handle_type_name`.
    public final var kind: Kind { unsafe Kind(name: String(cString: uv_handle_type_name(uv_handle_get_type(base)))) }

    /// Whether the handle is doing something: the timer runs, the stream reads or writes. Calls `uv_is_active`.
    public var isActive: Bool {
        checkThread()
        return unsafe state != .closed && uv_is_active(base) != 0
    }

    /// Whether ``close(onClosed:)`` was called. Calls `uv_is_closing`.
    public final var isClosing: Bool {
        checkThread()
        return unsafe state != .open || uv_is_closing(base) != 0
    }

    /// Whether the loop runs on for this handle while it is active. Set it to false for work in the background.
    ///
    /// Calls `uv_has_ref`, `uv_ref`, `uv_unref`.
    public var keepsLoopAlive: Bool {
        get {
            checkThread()
            return unsafe state != .closed && uv_has_ref(base) != 0
        }
        set {
            checkThread()
            guard unsafe state == .open else { return }
            if newValue { unsafe uv_ref(base) } else { unsafe uv_unref(base) }
        }
    }

    /// The system's descriptor under the handle. The handle goes on owning it.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a kind without one, `.badFileDescriptor` when there is none yet.
    ///
    /// Calls `uv_fileno`.
    public final var fileDescriptor: FileDescriptor {
        get throws(UVError) {
            try checkOpen("fileDescriptor")
            var descriptor: uv_os_fd_t = -1
            try check(unsafe uv_fileno(base, &descriptor), "fileDescriptor", of: kind.name)
            return FileDescriptor(rawValue: descriptor)
        }
    }

    // MARK: Closing

    /// Closes the handle. What is pending ends with `.canceled`, then `onClosed` is called, in a later turn.
    ///
    /// All other closures are dropped at once and never run again. Closing twice is harmless: every `onClosed` given
    /// before the close has finished is called; one given later is not.
    ///
    /// Calls `uv_close`.
    public final func close(onClosed: ((Handle) -> Void)? = nil) {
        end(onClosed) { beginClose() }
    }

    /// Tells libuv to close.
    func beginClose() { unsafe uv_close(base, closeFinished) }

    /// Does what ``close(onClosed:)`` does, and calls the closure instead of `uv_close`.
    final func end(_ onClosed: ((Handle) -> Void)?, _ tellLibuv: () -> Void) {
        checkThread()
        if let onClosed { whenClosed(onClosed) }
        guard unsafe state == .open else { return }
        willClose()
        unsafe state = .closing
        tellLibuv()
        dropClosures()
    }

    /// Runs a closure of the user's when the close has finished, after those given before; never, if it has.
    final func whenClosed(_ call: @escaping (Handle) -> Void) {
        guard unsafe state != .closed else { return }
        let earlier = onClosed
        onClosed = { handle in
            earlier?(handle)
            call(handle)
        }
    }

    /// Runs a closure when the close has finished, before the user's `onClosed`.
    final func beforeClosed(_ call: @escaping (Handle) -> Void) {
        let later = onClosed
        onClosed = { handle in
            call(handle)
            later?(handle)
        }
    }

    /// Ends what the handle has made for itself, such as inner handles. Called once, while the handle is still open.
    func willClose() {}

    /// Drops the user's closures, so that retain cycles end. Called once, at close.
    func dropClosures() {}

    /// Runs when libuv has let go of the handle and `onClosed` has been called.
    func didClose() {}

    fileprivate final func closed() {
        unsafe state = .closed
        let call = onClosed.take()
        call?(self)
        didClose()
    }

    // MARK: Inside

    final var base: UnsafeMutablePointer<uv_handle_t> { unsafe memory.assumingMemoryBound(to: uv_handle_t.self) }

    @inline(__always)
    final func checkThread() { loop.checkThread(nameAndPlace) }

    /// The start of every operation: right thread, not closed.
    @inline(__always)
    final func checkOpen(_ operation: StaticString) throws(UVError) {
        checkThread()
        guard unsafe state == .open else { throw closedError(operation) }
    }

    @inline(never)
    private final func closedError(_ operation: StaticString) -> UVError {
        UVError(.badFileDescriptor, in: operation.description, of: "a closed \(noun)")
    }

    /// The word for the handle in errors that users of both layers see.
    var noun: String { "\(type(of: self))" }

    final var isOpen: Bool { unsafe state == .open }

    /// The Swift object of a libuv handle: kept in the struct's first field.
    @inline(__always)
    static func owner(of raw: UnsafeMutableRawPointer?) -> Handle {
        let data = unsafe raw.unsafelyUnwrapped.load(as: UnsafeRawPointer.self)
        return unsafe Unmanaged<Handle>.fromOpaque(data).takeUnretainedValue()
    }
}

@available(*, unavailable, message: "a handle belongs to its loop's thread; only WakeupHandle.waker may go to others")
extension Handle: Sendable {}

extension Handle {
    final var age: Duration { loop.age(since: made) }

    /// File and line of its making; `nil` if that is this library's own code, on somebody's behalf.
    final var madeAt: String? {
        let place = unsafe String(cString: file)
        if ["UV/", "AsyncUV/", "Coroutines/"].contains(where: { place.hasPrefix($0) }) { return nil }
        return "\(place):\(line)"
    }
}

extension Handle {
    /// The sort of a handle, by libuv's name: `timer`, `tcp`, `pipe`, …
    public struct Kind: Hashable, Sendable {
        /// libuv's name.
        public let name: String
    }
}

extension Handle: CustomStringConvertible {
    /// For people: `TimerHandle "heartbeat" made at App/main.swift:12, active`.
    public final var description: String {
        "\(nameAndPlace), \(isClosing ? "closing" : isActive ? "active" : "not active")"
    }

    /// On any thread.
    private final var nameAndPlace: String {
        let name = label.map { " \"\($0)\"" } ?? ""
        let place = unsafe String(cString: file)
        return "\(type(of: self))\(name) made at \(place):\(line)"
    }
}

/// Runs a callback of libuv on the Swift object behind it, then the loop's hook.
///
/// The handle owns itself until its close callback, which cannot come while this one runs: nothing is retained here.
@inline(__always)
func callBack<Owner: Handle>(
    _ raw: UnsafeMutableRawPointer?, _: Owner.Type, _ body: (Owner) -> Void
) {
    let data = unsafe raw.unsafelyUnwrapped.load(as: UnsafeRawPointer.self)
    unsafe Unmanaged<Owner>.fromOpaque(data)._withUnsafeGuaranteedRef { owner in
        body(owner)
        owner.loop.callbackEnded()
    }
}

func closeFinished(_ raw: UnsafeMutablePointer<uv_handle_t>?) {
    guard let data = unsafe raw?.pointee.data else { return }
    let handle = unsafe Unmanaged<Handle>.fromOpaque(data).takeRetainedValue()
    let loop = handle.loop
    handle.closed()
    loop.callbackEnded()
}
