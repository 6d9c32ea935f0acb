public import AsyncUV
internal import CPlatform
internal import UV

/// One loop for everything, as in Node: on the main thread, with the main actor, all tasks that prefer no other executor, and their IO.
///
/// Then code of the main actor, tasks, child tasks and what they read and write never change threads. `EventLoop.current` and
/// `EventLoop.shared` are this loop; `DispatchQueue.main` is served.
///
/// ```swift
/// import AsyncUV
/// import UVMainExecutor
///
/// @main struct Server {
///     static func main() throws {
///         try MainLoop.run {
///             let listener = try await TCPListener.bind(host: "127.0.0.1", port: 7000)
///             try await listener.serve { connection in
///                 for try await chunk in connection { try await connection.write(chunk) }
///             }
///         }
///     }
/// }
/// ```
///
/// With the product `UVAsyncMain` in place of `UVMainExecutor` an async `main` does the same without a line of code. It takes effect
/// in every program that it is linked to, so it is not for libraries.
///
/// Since there is one thread, whatever blocks or computes for long keeps everything waiting: `loop.offload { }` and `EventLoopGroup`
/// have other threads. Actors with an executor of their own, threads and dispatch queues stay what they were.
///
/// It needs what the standard library of Swift 6.2 and 6.3 calls custom executors, and Linux.
public enum MainLoop {
    /// The loop, if there is one.
    public static var loop: EventLoop? { EventLoop.resident }

    /// Runs async code on the main actor, on the loop, and returns its value. Tasks that are still there go on when it is called
    /// again.
    ///
    /// - Throws: What the body throws, ``UVError`` with `.notPermitted` off the main thread or inside a loop, `.notSupported` where
    ///   the standard library cannot do it, `.tooManyOpenFiles` when the system refuses a loop.
    @discardableResult
    @available(*, noasync, message: "the loop runs already: await the code itself")
    public static func run<Value: Sendable>(_ body: @escaping @MainActor @Sendable () async throws -> Value) throws
        -> Value
    {
        if Loop.isRunningHere { throw UVError(.notPermitted, in: "MainLoop.run", of: "a loop that runs already") }
        let loop = try install()
        let outcome = Outcome<Value>()
        Task { @MainActor in
            do { outcome.result = .success(try await body()) } catch { outcome.result = .failure(error) }
            loop.stopResident()
        }
        while true {
            if let result = outcome.result { return try result.get() }
            try loop.runResident()
        }
    }

    /// Makes the loop and lets the main actor and tasks run on it as soon as it runs. ``run(_:)`` does this itself; it is for programs
    /// that make tasks before. A second call returns the same loop.
    ///
    /// To be called on the main thread, before the first task: tasks that exist by then go on, but take a way around.
    ///
    /// - Throws: As ``run(_:)``.
    @discardableResult
    @available(*, noasync, message: "it must come before the first task")
    public static func install() throws(UVError) -> EventLoop {
        if let loop { return loop }
        guard cplatform_is_main_thread() != 0 else {
            throw UVError(.notPermitted, in: "MainLoop.install", of: "a thread that is not the main thread")
        }
        try MainLoopExecutor.checkSupport()
        let loop = try EventLoop.makeResident()
        MainLoopExecutor.install()
        return loop
    }

    /// What a body has ended with. On the main thread only.
    private final class Outcome<Value: Sendable>: @unchecked Sendable { var result: Result<Value, any Error>? }
}

/// Called before `main` by the product `UVAsyncMain`.
@_cdecl("swift_uv_install_main_executor")
func installMainExecutor() {
    do throws(UVError) { try MainLoop.install() } catch { fatalError("no loop for the main thread: \(error)") }
}
