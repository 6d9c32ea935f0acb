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
    var host: String

    @Argument(help: "The server's port.")
    var port: UInt16

    func run() throws {
        let address = try SocketAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port)
        if let problem = try Conversation().run(with: address) {
            printProblem("echo-client: \(problem)")
            throw ExitCode.failure
        }
    }
}
