import ArgumentParser
import AsyncUV
import ExampleInput
import ExampleSupport
import Foundation

@main struct UDPChat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "udp-chat",
        abstract: "A chat without a server: each line goes to everybody in a group, by multicast.",
        discussion: """
            The end of the input, Ctrl-C or SIGTERM ends it. A line may get lost on its way, as datagrams do.

            Try it in two terminals: udp-chat --name ann, and udp-chat --name bob
            """)

    @Option(help: "The address of the group, IPv4 or IPv6.")
    var group = "239.77.7.7"

    @Option(help: "The port of the group.")
    var port: UInt16 = 7007

    @Option(help: "The network interface; the default stays on this machine.")
    var interface = "lo"

    @Option(help: "Your name in the chat.")
    var name = NSUserName()

    func validate() throws {
        guard port != 0 else { throw ValidationError("A group has a port other than 0.") }
        guard !name.isEmpty, name.utf8.count <= 64 else { throw ValidationError("A name has 1 to 64 bytes.") }
    }

    func run() throws {
        let group = try SocketAddress(host: group, port: port)
        try EventLoop.run { [interface, name] loop in
            let room = try await Room.join(group, on: interface)
            let signals = try await Signals.watch(.interrupt, .terminate)
            printLine("chatting as \(name) in \(group)")
            try await withThrowingTaskGroup { tasks in
                tasks.addTask(executorPreference: loop) { try await room.listen() }
                tasks.addTask(executorPreference: loop) { _ = try await signals.next() }
                tasks.addTask(executorPreference: loop) {
                    var input = StandardInput()
                    while let line = try await input.readLine(on: loop) { try await room.say(line, as: name) }
                }
                // Whoever ends first ends the others.
                _ = try await tasks.next()
                tasks.cancelAll()
            }
        }
    }
}
