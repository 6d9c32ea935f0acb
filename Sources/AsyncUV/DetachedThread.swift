internal import CLinux
internal import UV

/// A thread that nobody joins.
enum DetachedThread {
    /// As on the main thread: user code runs here.
    private static let stackSize = 8 << 20

    private final class Body: Sendable {
        let call: @Sendable () -> Void
        init(_ call: @escaping @Sendable () -> Void) { self.call = call }
    }

    /// Starts it.
    ///
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when the system refuses.
    static func start(_ call: @escaping @Sendable () -> Void) throws(UVError) {
        let body = unsafe Unmanaged.passRetained(Body(call))
        let error = unsafe clinux_start_thread(
            { unsafe Unmanaged<Body>.fromOpaque($0!).takeRetainedValue().call() }, body.toOpaque(), stackSize)
        if error != 0 {
            unsafe body.release()
            throw UVError(.init(rawValue: -error), in: "thread start")
        }
    }
}
