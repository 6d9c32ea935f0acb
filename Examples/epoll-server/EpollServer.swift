import ExampleSupport
import ArgumentParser
import Logging
import Readiness
import ServerModels

@main struct EpollServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "epoll-server",
        abstract:
            "The article's edge-triggered echo server: a state machine for each connection, logs to file and console.",
        discussion: """
            Everything is logged to the file; errors go to the console as well. Try it with nc localhost 2003, and \
            follow the log with tail -f network-server.log.
            """)

    @Option(help: "A numeric address, or localhost.") var host = "0.0.0.0"
    @Option(help: "The port; 0 takes any free one.") var port: UInt16 = 2003
    @Option(help: "Where to append the log.") var log = "network-server.log"

    func run() throws {
        let stop = Stop()
        try Termination.onRequest { stop.request() }
        let logger = try makeLogger()
        let listener: Socket
        do {
            listener = try Socket.listening(on: Endpoint(host: host, port: port), backlog: 10, blocking: false)
        } catch {
            // The article logs this too, and then goes on with a socket that it does not have.
            logger.error("\(error)")
            throw ExitCode.failure
        }
        let service = try EchoService(listener, logger)
        let waker = service.waker
        _ = stop.onRequest { waker.wake() }
        printLine("listening on \(listener.localEndpoint!)")
        while !stop.isRequested { try service.turn() }
        logger.debug("stopped")
    }

    private func makeLogger() throws -> Logger {
        let file = try LogFile(path: log)
        return Logger(label: "network-server") { label in
            var console = StreamLogHandler.standardError(label: label)
            console.logLevel = .error
            return MultiplexLogHandler([FileLogHandler(file), console])
        }
    }
}
