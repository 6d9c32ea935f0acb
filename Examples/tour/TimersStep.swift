import ExampleSupport
import UV

struct TimersStep: Step {
    let title = "Timers"
    let sentence =
        "A timer calls a closure; between the calls the loop sleeps in the kernel. Never early, not even one."

    func run(on stage: Stage) throws {
        try metronome(stage)
        try crowd(stage)
    }

    private func metronome(_ stage: Stage) throws {
        let scene = try Scene()
        let timer = try TimerHandle(on: scene.loop)
        let started = Loop.hrtime
        var ticks = 0
        try timer.start(after: .milliseconds(200), every: .milliseconds(200)) { timer in
            ticks += 1
            stage.line("tick \(ticks) after \((Loop.hrtime - started).text)")
            if ticks == 5 { timer.close() }
        }
        try scene.run()
    }

    private func crowd(_ stage: Stage) throws {
        let scene = try Scene()
        let number = 10_000
        var early = 0
        var latest = Duration.zero
        for _ in 0..<number {
            let timer = try TimerHandle(on: scene.loop)
            let delay = Duration.milliseconds(.random(in: 100...600))
            let due = Loop.hrtime + delay
            try timer.start(after: delay) { timer in
                let late = Loop.hrtime - due
                if late < .zero { early += 1 }
                latest = max(latest, late)
                timer.close()
            }
        }
        try scene.run()
        guard early == 0 else { throw Surprise("\(count(early, "timer")) of \(number.grouped) fired early") }
        stage.success("\(number.grouped) timers at random times: none early, the latest by \(latest.text)")
    }
}
