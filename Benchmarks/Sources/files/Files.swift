import ArgumentParser
import CFiles
import Foundation
import Measurement

/// What reading files costs here, next to C on libuv, SwiftNIO, Node and the bare system calls.
@main struct Files: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measures reads of files, cached and cold.")

    @Option(help: "Times that everything is measured; the medians are shown.") var rounds = 5
    @Option(help: "Reads of one measurement through a thread pool; cached ones are ten times as many.") var count =
        20_000
    @Option(help: "Size of the file that is read cold, in MiB; 0 leaves the cold reads out.") var cold = 1_024
    @Option(help: "Reads of a file that is dropped from memory before each, in a measurement.") var coldReads = 200
    @Option(help: "A directory on the disk to be measured.") var directory = FileManager.default.temporaryDirectory
        .path()
    @Option(help: "The Node to be measured too, or nothing.") var node = "node"
    @Flag(help: "Tables in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure of the cached reads instead of tables.") var json = false

    func validate() throws {
        guard rounds > 0, count >= 1_000, cold >= 0, coldReads >= 0 else {
            throw ValidationError("There is nothing to measure.")
        }
    }

    func run() throws {
        let samples = try Samples(in: directory)
        defer { samples.remove() }
        var rows = Rows()
        for round in 0...rounds {
            // The first round warms up: pages, threads, caches.
            let measured = try measure(samples)
            if round > 0 { for (row, nanoseconds) in measured { rows.add(nanoseconds, to: row) } }
        }
        if json { return print(try JSONLine.encode(rows.measured)) }
        print(rows.table().render(markdown: markdown) + "\n")
        let ticks = try (0..<rounds).map { _ in try Ticks.measure(samples) }
        print(Ticks.table(ticks).render(markdown: markdown) + "\n")
        if cold > 0 {
            print(try Cold(directory: directory, size: cold, rounds: rounds).table().render(markdown: markdown))
        }
    }

    private func measure(_ samples: Samples) throws -> [(Row, Double)] {
        var measured = try CReads.measure(samples, count)
        measured += try UVReads.measure(samples, count)
        measured += try NIOReads.measure(samples, count)
        measured += try ColdReads.measure(samples, coldReads)
        measured += NodeReads.measure(node, samples, count)
        return measured
    }
}

/// The files that are read again and again.
struct Samples {
    static let block = 4_096
    static let blocks = 4_096

    /// 16 MiB.
    let big: String
    /// 4 KiB.
    let small: String
    /// As ``big``, not in memory.
    let cold: String

    init(in directory: String) throws {
        big = directory + "/swift-uv-big-\(getpid())"
        small = directory + "/swift-uv-small-\(getpid())"
        cold = directory + "/swift-uv-cold-blocks-\(getpid())"
        try Data(repeating: 1, count: Self.block * Self.blocks).write(to: URL(filePath: big))
        try Data(repeating: 3, count: Self.block * Self.blocks).write(to: URL(filePath: cold))
        try Data(repeating: 2, count: Self.block).write(to: URL(filePath: small))
    }

    func remove() {
        for path in [big, small, cold] { try? FileManager.default.removeItem(atPath: path) }
    }
}

struct Failure: Error, CustomStringConvertible {
    let description: String
}

/// A random block, the same ones in all programs.
struct Places {
    private var state: UInt32 = 1
    mutating func next() -> Int64 { Int64(cfiles_place(&state, CInt(Samples.blocks))) * Int64(Samples.block) }
}

func nanoseconds(_ times: Int, _ body: () async throws -> Void) async rethrows -> Double {
    let start = ContinuousClock.now
    try await body()
    return (ContinuousClock.now - start) / .nanoseconds(1) / Double(times)
}
