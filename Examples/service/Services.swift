#if Observability && ServiceLifecycle
import AsyncUV
import ServiceLifecycle
import UVObservability

/// What goes on beside the work, to the end.
struct Background: ServiceLifecycle.Service {
    let loop: EventLoop
    let reporter: LoopMetricsReporter

    func run() async throws {
        await cancelWhenGracefulShutdown {
            async let _ = loop.feedWatchdog()
            await reporter.run()
        }
    }
}

/// Tells the service manager that the service is ready, and when it begins to end.
struct Announcement: ServiceLifecycle.Service {
    func run() async throws {
        try ServiceManager.notify(.ready, .status("serving"))
        try? await gracefulShutdown()
        try ServiceManager.notify(.stopping, .status("serving the last clients"))
    }
}

/// Ends when the process is told to. From then on the signals have their own action again: the next one ends the process at once,
/// whatever it is doing.
struct StopSignals: ServiceLifecycle.Service {
    func run() async throws {
        try await cancelWhenGracefulShutdown {
            let signals = try await Signals.watch(.terminate, .interrupt)
            _ = try await signals.next()
        }
    }
}
#endif
