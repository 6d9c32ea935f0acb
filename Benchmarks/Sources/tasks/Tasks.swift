import ArgumentParser
import AsyncUV
import Foundation
import Measurement

/// What tasks cost on a loop, next to the least they could cost.
@main struct Tasks: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures tasks on an EventLoop: switching, spawning, waking, sleeping, hopping.")

    @Option(help: "Times that everything is measured; the medians are shown.") var rounds = 9
    @Option(help: "Tasks that are spawned at once.") var spawned = 100_000
    @Option(help: "Switches, sleeps and calls of one measurement.") var count = 100_000
    @Option(help: "The Python whose asyncio, gevent and greenlet are measured too, or nothing.")
    var python = "python3"
    @Flag(help: "A table in Markdown.") var markdown = false
    @Flag(help: "One line of JSON with every round's figure instead of a table.") var json = false

    func validate() throws {
        guard rounds > 0, spawned > 0, count > 1 else { throw ValidationError("There is nothing to measure.") }
    }

    func run() throws {
        var rows = Rows()
        for round in 0...rounds {
            // The first round warms up: memory from the system, pages, caches.
            var measured = try measureOnLoop() + measureOnRing() + measureWakeUps()
            if round == 0 { measured = [] }
            for (name, nanoseconds) in measured { rows.add(nanoseconds, to: name) }
        }
        let peers =
            Peer.python(python, "tasks.py", rounds, spawned, count) + Peer.beside("peers-go", "tasks", rounds, count)
        print(
            json
                ? try JSONLine.encode(rows.measured(peers: peers)) : rows.table(peers: peers).render(markdown: markdown)
        )
    }

    private typealias Measured = [(Row, Double)]

    private func measureOnLoop() throws -> Measured {
        let (count, spawned) = (count, spawned)
        return try EventLoop.run { loop in
            // Warm: the second of two, on the same loop.
            _ = try await Work.spawn(spawned)
            return [
                (.handOver, await Work.handOver(count)),
                (.yield, await Work.yield(count)),
                (.spawn, try await Work.spawn(spawned)),
                (.spawnUnstructured, try await Work.spawn(spawned, on: loop)),
                (.sleepZero, try await Work.sleepZero(count, on: loop)),
                (.cancelledSleep, try await Work.cancelledSleep(count, on: loop)),
                (.timeout, try await Work.timeout(count)),
                (.childTask, await Work.childTask(count)),
                (.channel, try await Work.channel(count, capacity: 0, on: loop)),
                (.roomyChannel, try await Work.channel(count, capacity: 64, on: loop)),
                (.asyncChannel, await Work.asyncChannel(count)),
                (.semaphore, try await Work.semaphore(count, on: loop)),
                (.actorCall, try await Work.actorCall(count, on: loop)),
                (.callFromElsewhere, try await Work.callFromElsewhere(count / 10, on: loop)),
            ]
        }
    }

    private func measureOnRing() throws -> Measured {
        let (count, spawned) = (count, spawned)
        return try RingExecutor().run {
            _ = try await Work.spawn(spawned)
            return [
                (.ringHandOver, await Work.handOver(count)),
                (.ringYield, await Work.yield(count)),
                (.ringSpawn, try await Work.spawn(spawned)),
            ]
        }
    }

    private func measureWakeUps() throws -> Measured {
        [
            (.libuvWakeUp, try WakeUps.ofLibuv(count / 50)),
            (.wakeUp, try WakeUps.ofTasks(count / 50)),
        ]
    }
}
