#if Observability && ServiceLifecycle
import AsyncUV
import Logging
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
    let logger: Logger

    func run() async throws {
        tell(.ready, .status("serving"))
        try? await gracefulShutdown()
        tell(.stopping, .status("serving the last clients"))
    }

    /// A manager that does not listen is no reason not to serve.
    private func tell(_ state: ServiceManager.State, _ status: ServiceManager.State) {
        do { try ServiceManager.notify(state, status) } catch { logger.warning("the service manager: \(error)") }
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
