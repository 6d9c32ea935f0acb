import ArgumentParser
import AsyncUV
import Coroutines
import ExampleSupport
import Foundation

/// What the article says of coroutines, "tens of thousands on one CPU", with numbers.
struct Many: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "many", abstract: "Many coroutines sleep and wake on one thread: memory and time of each.")

    @Option(help: "How many coroutines.")
    var count = 100_000

    @Option(help: "How long each sleeps, for example 500ms.", transform: duration(from:))
    var sleep = Duration.seconds(1)

    func validate() throws {
        guard count > 0 else { throw ValidationError("There must be a coroutine at least.") }
    }

    @GreenActor
    func run() async throws {
        let (sleep, total) = (sleep, count)
        // The loop, its timer and the first pages are not theirs.
        try await Green.spawn { try await Green.sleep(.milliseconds(1)) }.value
        let before = try privateBytes()
        let started = LoopClock.Instant.now
        let tasks = (0..<total).map { number in
            Green.spawn {
                let due = LoopClock.Instant.now + sleep
                try await Green.sleep(sleep)
                return LoopClock.Instant.now - due
            }
        }
        // Each of them gets to its sleep first.
        try await Green.sleep(.zero)
        let spawned = LoopClock.Instant.now - started
        let each = (try privateBytes() - before) / total
        printLine(
            "\(ExampleSupport.count(total, "coroutine")) asleep after \(spawned.text), \(each.grouped) bytes each")
        var latest = Duration.zero
        for result in try await Green.joinAll(tasks) {
            guard let late = try result?.get() else { continue }
            guard late >= .zero else { throw Problem(description: "one woke \((.zero - late).text) early") }
            latest = max(latest, late)
        }
        let took = LoopClock.Instant.now - started
        printLine("all awake again after \(took.text), none early, the latest by \(latest.text)")
    }

    /// Memory that only this process holds.
    private func privateBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
        return text.split(separator: "\n").reduce(0) { total, line in
            let words = line.split(separator: " ")
            guard words.count == 3, words[0].hasPrefix("Private_"), words[0] != "Private_Hugetlb:" else { return total }
            return total + (Int(words[1]) ?? 0) * 1_024
        }
    }
}
