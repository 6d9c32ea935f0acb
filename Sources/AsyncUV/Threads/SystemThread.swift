internal import CPlatform
internal import UV

/// A thread with as much stack as the main thread has, because user code runs on it.
final class SystemThread: Sendable {
    private static let stackSize = 8 << 20

    private final class Body: Sendable {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }

    /// Which thread, until it is joined.
    private let number: Lock<UInt?>

    /// Starts a thread that is to be joined.
    ///
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when the system refuses.
    init(_ call: @escaping @Sendable () -> Void) throws(UVError) {
        var number: UInt = 0
        try unsafe Self.start(call, &number)
        self.number = Lock(number)
    }

    /// Starts a thread that nobody joins.
    ///
    /// - Throws: As ``init(_:)``.
    static func detach(_ call: @escaping @Sendable () -> Void) throws(UVError) { try unsafe start(call, nil) }

    private static func start(
        _ call: @escaping @Sendable () -> Void, _ joinable: UnsafeMutablePointer<UInt>?
    ) throws(UVError) {
        let body = unsafe Unmanaged.passRetained(Body(call))
        let error = unsafe cplatform_start_thread(
            { unsafe Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().call() }, body.toOpaque(), stackSize, joinable)
        if error != 0 {
            unsafe body.release()
            throw UVError(.init(rawValue: -error), in: "thread start")
        }
    }

    /// Blocks until the thread has ended. A second call, from any thread, does nothing.
    func join() {
        number.withLock { number in
            if let number { cplatform_join_thread(number) }
            number = nil
        }
    }
}
