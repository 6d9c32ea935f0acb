import ExampleSupport
import ArgumentParser
import Readiness

/// The article's client: two sockets, a message in three parts, on each in turn.
@main struct SelectClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select-client",
        abstract: "Sends a message in three parts on two sockets and prints the replies.",
        discussion: "Start select-server first.")

    @Option(help: "A numeric address, or localhost.") var host = "localhost"
    @Option(help: "The server's port.") var port: UInt16 = 10_000

    func run() throws {
        let server = try Endpoint(host: host, port: port)
        printLine("connecting to \(server)")
        let sockets = try (0..<2).map { _ in try Socket.connected(to: server) }
        for message in ["This is the message. ", "It will be sent ", "in parts."] {
            for socket in sockets {
                printLine("\(socket.localEndpoint!): sending \"\(message)\"")
                try socket.sendAll(Array(message.utf8))
            }
            for socket in sockets {
                let reply = try receive(message.utf8.count, from: socket)
                printLine("\(socket.localEndpoint!): received \"\(reply)\"")
                guard reply.utf8.count == message.utf8.count else { throw CleanExit.message("the server has left") }
            }
        }
    }

    /// The reply is as long as the message; it may come in pieces.
    private func receive(_ count: Int, from socket: Socket) throws -> String {
        var reply: [UInt8] = []
        while reply.count < count {
            var bytes = [UInt8](repeating: 0, count: count - reply.count)
            guard case .bytes(let count) = try socket.receive(into: &bytes) else { break }
            reply += bytes[0..<count]
        }
        return String(decoding: reply, as: UTF8.self)
    }
}
