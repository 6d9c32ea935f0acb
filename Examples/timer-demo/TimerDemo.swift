import ArgumentParser
import ExampleSupport
import UV

@main struct TimerDemo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "timer-demo",
        abstract: "Shows the four lives of a timer: once, repeated, put off, cancelled.",
        discussion: """
            Each line compares the time that was asked for with the time that passed. A timer is never early; it is \
            late by the rounding to whole milliseconds, and by what else the machine was doing.
            """)

    @Option(help: "The time between two calls, for example 250ms or 1.5s. (default: 100ms)", transform: duration(from:))
    var interval: Duration = .milliseconds(100)

    @Option(help: "How often the repeating timer is called.")
    var count = 5

    func validate() throws {
        guard interval >= .milliseconds(1) else { throw ValidationError("The interval must be 1ms at least.") }
        guard (1...1_000_000).contains(count) else { throw ValidationError("The count must be 1 to 1,000,000.") }
    }

    func run() throws {
        let loop = try Loop()
        let table = TimeTable()
        try once(on: loop, table)
        try repeated(on: loop, table)
        try putOff(on: loop, table)
        try cancelled(on: loop, table)
        try loop.close()
    }

    /// A timer that is called once. The loop ends by itself: nothing is left to wait for.
    private func once(on loop: Loop, _ table: TimeTable) throws {
        let timer = try TimerHandle(on: loop)
        table.start()
        try timer.start(after: interval) { timer in
            table.add("once", asked: interval)
            timer.close()
        }
        try loop.run()
    }

    /// A timer that is called again and again. Each call is counted from the one before, so their lateness adds up.
    private func repeated(on loop: Loop, _ table: TimeTable) throws {
        let timer = try TimerHandle(on: loop)
        var calls = 0
        table.start()
        try timer.start(after: interval, every: interval) { timer in
            calls += 1
            table.add("repeated, \(calls) of \(count)", asked: interval * calls)
            if calls == count { timer.close() }
        }
        try loop.run()
    }

    /// A timer that keeps being put off, as an idle timeout is by each sign of life: `restart` counts from the present.
    private func putOff(on loop: Loop, _ table: TimeTable) throws {
        let deadline = interval * 2
        let timeout = try TimerHandle(on: loop)
        let signs = try TimerHandle(on: loop)
        var signsOfLife = 0
        table.start()
        try timeout.start(after: deadline, every: deadline) { timeout in
            table.add("put off 3 times", asked: interval * 3 + deadline)
            timeout.close()
        }
        try signs.start(after: interval, every: interval) { signs in
            do {
                signsOfLife += 1
                try timeout.restart()
                if signsOfLife == 3 { signs.close() }
            } catch {
                printProblem("restart failed: \(error)")
                signs.close()
                timeout.close()
            }
        }
        try loop.run()
    }

    /// A timer that is stopped in time is never called, and does not keep the loop waiting.
    private func cancelled(on loop: Loop, _ table: TimeTable) throws {
        let doomed = try TimerHandle(on: loop)
        let canceller = try TimerHandle(on: loop)
        table.start()
        try doomed.start(after: .seconds(3_600)) { _ in table.add("cancelled, but called", asked: .seconds(3_600)) }
        try canceller.start(after: interval) { canceller in
            doomed.close()
            canceller.close()
        }
        try loop.run()
        table.add("cancelled", asked: interval, note: "was due in an hour, never called")
    }
}
