internal import Glibc

/// A thread of its own for work that blocks.
public enum WorkerThread {
    /// Runs `body` on a new thread, which nobody waits for.
    ///
    /// - Throws: ``SystemError`` with `.resourceTemporarilyUnavailable` when there are too many.
    public static func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let box = unsafe Unmanaged.passRetained(Body(body))
        let error = unsafe pthread_create(
            &thread, nil,
            { pointer in
                unsafe Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue().run()
                return nil
            }, unsafe box.toOpaque())
        if error != 0 {
            unsafe box.release()
            try check(-error, "pthread_create")
        }
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
