import ArgumentParser
import AsyncUV
import AsyncUVHTTP
import ExampleInput
import ExampleSupport
import HTTPTypes

@main struct WebSocketChat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "websocket-chat",
        abstract: "Passes each message of a browser on to all others.",
        discussion: """
            The first line of output says where it listens. Ctrl-C or SIGTERM says good bye to the clients and ends it.

            Try it: websocket-chat --port 8000, then http://127.0.0.1:8000 in two windows of a browser. With --connect it is a client \
            that sends each line of standard input and prints what comes.
            """)

    @OptionGroup var listen: ListenOptions

    @Option(help: "Be a client of this server: ws://127.0.0.1:8000/chat")
    var connect: String?

    func run() throws {
        if let connect { return try Self.talk(to: connect) }
        let address = try SocketAddress(host: listen.host, port: listen.port)
        let total = try EventLoop.run { loop in
            let listener = try await TCPListener.bind(to: address)
            let signals = try await Signals.watch(.interrupt, .terminate)
            let room = Room(on: loop)
            loop.spawn(onError: { TCPListener.report($0, nil) }) {
                try await HTTPServer().serve(listener) { try await answer($0, $1, room) }
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            // Whoever is connected gets a goodbye.
            await loop.shutdown(grace: .seconds(1))
            return await room.messages
        }
        printLine("served \(count(total, "message"))")
    }

    /// A client: lines of standard input go out, what comes is printed, until either ends.
    private static func talk(to url: String) throws {
        try EventLoop.run { loop in
            let socket = try await WebSocket.connect(url, on: loop)
            let typing = loop.spawn {
                var input = StandardInput()
                while let line = try await input.readLine(on: loop) { try await socket.send(line) }
                await socket.close()
            }
            defer { typing.cancel() }
            for try await case .text(let text) in socket { printLine(text) }
        }
    }
}

private func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse, _ room: Room) async throws {
    switch request.head.path {
    case "/": try await response.send(.ok, [.contentType: "text/html; charset=utf-8"], Array(page.utf8))
    case "/chat":
        // Only the page above may connect, no page of somebody else that a browser shows, too.
        let here = request.head.authority.map { ["http://\($0)"] as Set }
        try await response.webSocket(
            for: request, origins: here ?? [], limits: WebSocketLimits(message: 10_000)
        ) { socket in try await room.visit(socket) }
    default: throw HTTPRefusal(.notFound, "there is nothing at this path")
    }
}

private let page = """
    <!doctype html><title>Chat</title><ul id=lines></ul><form><input id=text autofocus></form>
    <script>
    const socket = new WebSocket(`ws://${location.host}/chat`)
    const show = text => lines.append(Object.assign(document.createElement("li"), {textContent: text}))
    socket.onmessage = event => show(event.data)
    socket.onclose = event => show(`closed: ${event.code}`)
    document.forms[0].onsubmit = event => { event.preventDefault(); socket.send(text.value); text.value = "" }
    </script>
    """
