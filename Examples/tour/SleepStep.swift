import AsyncUV
import ExampleSupport

struct SleepStep: Step {
    let title = "Async code: sleep"
    let sentence = "The same loop runs tasks: one that sleeps holds no thread, and its child tasks end before it does."

    func run(on stage: Stage) throws {
        try EventLoop.run { loop in
            try await sort(["pear": 120, "fig": 40, "apple": 80], on: loop, stage)
            try await crowd(on: loop, stage)
        }
    }

    /// Each word sleeps as long as its number says, all at the same time.
    private func sort(_ words: [String: Int], on loop: EventLoop, _ stage: Stage) async throws {
        let started = loop.clock.now
        try await withThrowingDiscardingTaskGroup { group in
            for (word, delay) in words {
                group.addTask {
                    try await loop.sleep(for: .milliseconds(delay))
                    stage.line("\(word.padded(to: 8))slept \(delay) ms, woke after \((loop.clock.now - started).text)")
                }
            }
        }
    }

    private func crowd(on loop: EventLoop, _ stage: Stage) async throws {
        let number = 10_000
        let latest = try await withThrowingTaskGroup(of: Duration.self) { group in
            for _ in 0..<number {
                let due = loop.clock.now + .milliseconds(.random(in: 200...700))
                group.addTask {
                    try await loop.sleep(until: due)
                    return loop.clock.now - due
                }
            }
            return try await group.reduce(.zero) { latest, late in
                if late < .zero { throw Surprise("a task woke \((.zero - late).text) early") }
                return max(latest, late)
            }
        }
        stage.success("\(number.grouped) tasks slept on one thread: none woke early, the latest \(latest.text) late")
    }
}
