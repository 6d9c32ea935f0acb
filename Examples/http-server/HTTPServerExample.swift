import ArgumentParser
import AsyncUV
import AsyncUVHTTP
import ExampleSupport

@main struct HTTPServerExample: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-server",
        abstract: "Answers a few requests over HTTP: what a server of your own begins with.",
        discussion: """
            GET / says hello; GET /headers says what was asked; POST /echo sends the body back as it comes; POST /count counts its \
            bytes; GET /ticks sends an event a second.

            The first line of output says where it listens. Ctrl-C or SIGTERM ends it: requests that are under way are \
            answered, for a second at most, and the last line says what was served.

            Try it: http-server --port 8000, then curl -N http://127.0.0.1:8000/ticks, or curl -T FILE http://127.0.0.1:8000/count.
            """)

    @OptionGroup var listen: ListenOptions

    func run() throws {
        let address = try SocketAddress(host: listen.host, port: listen.port)
        let (server, idleTimeout) = (HTTPServer(), listen.idleTimeout ?? .seconds(60))
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(to: address)
            let signals = try await Signals.watch(.interrupt, .terminate)
            loop.spawn(onError: { TCPListener.report($0, nil) }) {
                try await server.serve(listener, idleTimeout: idleTimeout) { try await answer($0, $1, on: loop) }
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            await loop.shutdown(grace: .seconds(1))
        }
        printLine("served \(count(server.statistics.requests, "request"))")
    }
}

private func answer(
    _ request: HTTPServerRequest, _ response: HTTPServerResponse, on loop: EventLoop
) async throws {
    switch (request.head.method, request.head.path) {
    case (.get, "/"), (.head, "/"): try await response.send(text: "hello\n")
    case (.get, "/headers"):
        let lines = request.head.headerFields.map { "\($0.name): \($0.value)\n" }
        try await response.send(text: "\(request.head.authority ?? "")\n\(lines.joined())")
    case (.post, "/echo"), (.put, "/echo"):
        try await response.stream(.ok, [.contentType: "application/octet-stream"]) { writer in
            for try await piece in request.body.limited(to: 1 << 30) { try await writer.write(piece) }
        }
    case (.post, "/count"), (.put, "/count"):
        var bytes = 0
        for try await piece in request.body.limited(to: 1 << 30) { bytes += piece.count }
        try await response.send(text: "\(bytes)\n")
    case (.get, "/ticks"):
        try await response.stream(.ok, [.contentType: "text/event-stream", .cacheControl: "no-cache"]) { writer in
            for try await _ in loop.ticks(every: .seconds(1)) { try await writer.write("data: tick\n\n") }
        }
    case (_, "/"): throw notAllowed("GET, HEAD")
    case (_, "/headers"), (_, "/ticks"): throw notAllowed("GET")
    case (_, "/echo"), (_, "/count"): throw notAllowed("POST, PUT")
    default: throw HTTPRefusal(.notFound, "there is nothing at this path")
    }
}

private func notAllowed(_ allowed: String) -> HTTPRefusal {
    HTTPRefusal(.methodNotAllowed, "this path has another method", fields: [.allow: allowed])
}
