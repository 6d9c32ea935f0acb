import AsyncUV
import ExampleSupport

struct TicksStep: Step {
    let title = "Ticks"
    let sentence = "A sequence of moments, evenly apart. Who is late for one is not late for all that follow."

    func run(on stage: Stage) throws {
        try EventLoop.run { loop in
            let interval = Duration.milliseconds(100)
            let started = loop.clock.now
            var seen = 0
            for try await tick in loop.ticks(every: interval) {
                seen += 1
                stage.line("tick \(seen) after \((tick - started).text)\(seen == 2 ? ", then busy for 150 ms" : "")")
                if seen == 2 { try await loop.sleep(for: .milliseconds(150)) }
                if seen == 5 { break }
            }
            let took = loop.clock.now - started
            guard took >= interval * 6 else { throw Surprise("five ticks and a missed one in \(took.text)") }
            stage.success("the one that was missed is not made up for, and the rhythm is kept")
        }
    }
}
