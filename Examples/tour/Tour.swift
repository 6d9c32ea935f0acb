import ArgumentParser
import ExampleSupport
import UV

@main struct Tour: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tour",
        abstract: "Shows what the library does, in a few seconds.",
        discussion: """
            Everything happens in this process: the servers listen on free ports of 127.0.0.1. On a terminal there is a \
            pause before each step, to read; into a pipe there is none, and no colour.
            """)

    @Flag(help: "Do not pause between the steps.")
    var fast = false

    /// A file each.
    private var steps: [any Step] {
        [
            TimersStep(), EchoStep(), ErrorsStep(), BackpressureStep(),
            SleepStep(), TicksStep(), TimeoutStep(), AsyncEchoStep(), CoroutinesStep(), FileStep(),
        ]
    }

    func run() throws {
        let stage = Stage()
        stage.opening("swift-uv", "Asynchronous IO for Swift, over libuv. Each step runs on one thread.")
        for (index, step) in steps.enumerated() {
            stage.title("\(index + 1)/\(steps.count)  \(step.title)", step.sentence)
            if stage.isTerminal, !fast { try pause(.milliseconds(1_200)) }
            try step.run(on: stage)
        }
        stage.closing("That was the tour. Its steps are in Examples/tour, a file each.")
    }

    private func pause(_ time: Duration) throws {
        let loop = try Loop()
        try TimerHandle(on: loop).start(after: time) { timer in timer.close() }
        try loop.run()
        try loop.close()
    }
}
