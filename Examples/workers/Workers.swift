import ArgumentParser
import AsyncUV
import ExampleSupport

@main struct Workers: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "An echo server of several processes: one accepts, the others serve.",
        discussion: """
            Each client's connection is passed to the worker that has the fewest. A worker that dies is replaced, and its \
            clients go on with another: the parent keeps each connection open until its worker is done with it. Lines that \
            the dead worker had read and not answered are lost; no connection is.

            The first line of output says where it listens. Ctrl-C or SIGTERM ends it.

            Try it: connect with nc, send a line, kill -9 the worker that it names, and send another.
            """)

    @Option(help: "The numeric address to listen on, IPv4 or IPv6.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 0

    @Option(help: "How many processes serve.")
    var workers = 2

    @Flag(help: .hidden)
    var worker = false

    func validate() throws {
        guard (1...1_024).contains(workers) else { throw ValidationError("The number of workers must be 1 to 1,024.") }
    }

    func run() throws {
        if worker { return try Worker.run() }
        let (host, port, workers) = (host, port, workers)
        try EventLoop.run { loop in
            try await Dispatcher(on: loop).run(host: host, port: port, workers: workers)
        }
    }
}
