import ExampleSupport
import ArgumentParser
import Readiness
import ServerModels

@main struct SelectServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select-server",
        abstract: "Answers in upper case, with select and a message queue for each connection.",
        discussion: "Try it with select-client, or with nc localhost 10000.")

    @Option(help: "A numeric address, or localhost.") var host = "localhost"
    @Option(help: "The port; 0 takes any free one.") var port: UInt16 = 10_000

    func run() throws {
        let stop = Stop()
        try Termination.onRequest { stop.request() }
        let listener = try Socket.listening(on: Endpoint(host: host, port: port), blocking: false)
        var switchboard = try Switchboard(listener)
        let waker = switchboard.waker
        _ = stop.onRequest { waker.wake() }
        printLine("listening on \(listener.localEndpoint!)")
        while !stop.isRequested {
            printLine("waiting for the next event")
            try switchboard.turn()
        }
        printLine("stopped")
    }
}
