#if Observability && ServiceLifecycle
import ArgumentParser
import AsyncUV
import Configuration
import ExampleSupport
import Logging
import Metrics
import ServiceLifecycle
import UVObservability
import UVServiceLifecycle

@main struct Service: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "A server as a service: it is started, watched, asked and stopped by others.",
        discussion: """
            It answers each line with the line in capitals; `metrics` with its metrics, in Prometheus' format, and an empty line; \
            `slow LINE` after a second. Try it: nc 127.0.0.1 7000

            The environment configures it: SERVICE_HOST (127.0.0.1), SERVICE_PORT (0: a free one), SERVICE_GRACE, the seconds that \
            clients have to come to an end (10), SERVICE_LOG_LEVEL (info).

            SIGTERM or Ctrl-C: nobody new comes, each client gets the answer that it waits for, and the exit status is 0. A second \
            one ends the process at once.

            Under systemd it takes the sockets of its .socket unit, says when it is ready and when it stops (Type=notify), and \
            that it is alive (WatchdogSec=).
            """)

    func run() throws {
        let settings = try Settings(from: ConfigReader(provider: EnvironmentVariablesProvider()))
        let metrics = TextMetrics()
        MetricsSystem.bootstrap(metrics)
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = settings.logLevel
            return handler
        }
        let logger = Logger(label: "service")
        Diagnostics.log(to: logger)
        try EventLoop.run(label: "main") { loop in
            let listeners = try await Self.listeners(settings)
            for listener in listeners { printLine("listening on \(listener.localAddress)") }
            let reporter = LoopMetricsReporter(of: [loop])
            let server = LineServer(answersMetrics: {
                reporter.collect(); return metrics.text
            })
            let listening = ListenerService(listeners) { try await server.serve($0) }
            // They end from the last to the first: the manager hears before the clients do, and the metrics go on meanwhile.
            var configuration = ServiceGroupConfiguration(
                services: [
                    .init(service: Background(loop: loop, reporter: reporter)),
                    .init(service: listening),
                    .init(service: Announcement(logger: logger)),
                    .init(service: StopSignals(), successTerminationBehavior: .gracefullyShutdownGroup),
                ], logger: logger)
            configuration.maximumGracefulShutdownDuration = settings.grace
            try await ServiceGroup(configuration: configuration).run()
        }
        printLine("all clients have been served")
    }

    /// Those of the service manager, or else one of our own.
    private static func listeners(_ settings: Settings) async throws -> [TCPListener] {
        let activated = try await TCPListener.activated()
        if !activated.isEmpty { return activated }
        return [try await TCPListener.bind(host: settings.host, port: settings.port)]
    }
}
#endif
