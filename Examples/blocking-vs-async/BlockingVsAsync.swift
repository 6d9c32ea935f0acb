import ArgumentParser
import BlockingContrast
import ExampleSupport
import Foundation

@main struct BlockingVsAsync: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blocking-vs-async",
        abstract: "Shows what a file does to a timer that should tick every 5 ms.",
        discussion: """
            A large file that is not in memory is read in four ways: by a callback of the loop; by programs that ask \
            select and poll whether the file is ready, which it always is; and in libuv's thread pool. Each tick is shown \
            with its delay. epoll refuses files.
            """)

    @Option(help: "Size of the file, in MiB.") var size = 256
    @Option(help: "A directory on the disk to be tried; in memory (tmpfs) there is nothing to see.")
    var directory = FileManager.default.temporaryDirectory.path()
    @Flag(help: "Write and wait for the disk (fsync) 64 KiB at a time instead of reading: a hundred times.")
    var fsyncStorm = false
    @Option(help: "Write the picture to this file.") var svg: String?

    @Flag(help: "Find work that is slow on this disk, measure it in turns, and print one line of JSON.") var json =
        false
    @Option(help: "How many turns.") var rounds = 3

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("There is nothing to measure.") }
        guard (1...65_536).contains(size) else { throw ValidationError("The size is 1 to 65,536 MiB.") }
    }

    func run() throws {
        if json { return print(try Rounds(rounds, in: directory).text) }
        let kind: DiskWork.Kind = fsyncStorm ? .fsyncStorm : .coldRead
        let work = try DiskWork(kind, size: fsyncStorm ? 100 << 16 : size << 20, in: directory)
        defer { work.remove() }
        printLine("A timer should tick every \(TickLog.interval.text) beside a \(kind.rawValue): \(what).")
        printLine("epoll's answer to the file: \(try Way.epollsAnswer(to: work))")
        var logs: [(Way, TickLog)] = []
        for way in Way.allCases {
            let log = try way.measure(work)
            logs.append((way, log))
            printLine()
            for line in Timeline(way.rawValue, log).lines { printLine(line) }
        }
        if let svg {
            try Data(Picture(title: "A timer beside a \(kind.rawValue)", logs: logs).text.utf8).write(
                to: URL(filePath: svg))
            printLine("\nThe picture is in \(svg).")
        }
    }

    private var what: String { fsyncStorm ? "100 times 64 KiB" : "\(size) MiB" }
}
