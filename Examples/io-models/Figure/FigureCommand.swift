import ExampleSupport
import ArgumentParser
import Foundation

struct FigureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "figure",
        abstract: "Draws the comparison of the IO models, measured on this machine.",
        discussion: """
            A slow sender delivers a few messages to each model in turn. Recorded is what the calling thread does: \
            blocked in the read, waiting in select, asking in vain, copying, or free for other work; and how many \
            system calls it makes. Asynchronous IO is done by a plain worker thread here.

            Copying takes microseconds, so it is drawn wider than it is; its true length stands beside it.
            """)

    @Option(help: "Write the figure as an SVG to this file.")
    var svg: String?

    @Option(help: "How many messages the sender delivers.")
    var messages = 3

    @Option(help: "Milliseconds before each message.")
    var interval = 10

    @Option(help: "Bytes in a message.")
    var size = 393_216

    @Option(help: "Record each model so often and show the recording that other programs disturbed least.")
    var tries = 5

    @Flag(help: "No colours, although this is a terminal.")
    var plain = false

    func validate() throws {
        guard (1...100).contains(tries), (1...20).contains(messages), (1...1000).contains(interval),
            (1...393_216).contains(size)
        else {
            throw ValidationError("Allowed are 1 to 20 messages, 1 to 1000 ms, 1 to 393,216 bytes and 1 to 100 tries.")
        }
    }

    func run() throws {
        var setting = FigureSetting()
        setting.messages = messages
        setting.interval = Int64(interval) * 1_000_000
        setting.messageSize = size
        setting.tries = tries
        let figure = try Figure(setting)
        let hasColour = !plain && isatty(1) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
        for line in TerminalFigure(figure, hasColour: hasColour).lines { printLine(line) }
        if let svg {
            try SVGFigure(figure).text.write(toFile: svg, atomically: true, encoding: .utf8)
            printLine("written: \(svg)")
        }
    }
}
