import ArgumentParser
import ExampleSupport
import Foundation
import UV

@main struct EchoClient: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-client",
        abstract: "Sends lines from standard input to a server and prints what it answers.",
        discussion: """
            At the end of the input it waits until the server has answered everything, and exits with 0; with 1 when \
            the connection is lost before.

            Try it: seq 1000 | echo-client 127.0.0.1 7000
            """)

    @Argument(help: "The server's numeric address, IPv4 or IPv6, or localhost.")
    var host: String?

    @Argument(help: "The server's port.")
    var port: UInt16?

    @Option(help: "The path of a local socket (Unix domain) to connect to, instead of host and port.")
    var local: String?

    func validate() throws {
        guard local == nil ? port != nil : host == nil else {
            throw ValidationError("Give a host and a port, or --local and a path.")
        }
    }

    func run() throws {
        if let problem = try converse() {
            printProblem("echo-client: \(problem)")
            throw ExitCode.failure
        }
    }

    /// - Returns: What went wrong, if something did.
    private func converse() throws -> String? {
        if let local { return try Conversation.run(with: LocalAddress(path: local)) }
        guard let host, let port else { return nil }
        return try Conversation.run(with: SocketAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port))
    }
}
