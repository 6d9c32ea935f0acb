import AsyncUV
import Dispatch
import EmbeddingChaos
import Foundation
import Readiness
import UV
import UVEmbedding

/// Loops driven where tests cannot go: on the main queue, and idle under strace.
///
/// Prints one line for each thing that worked; a test reads them.
@main struct EmbeddingProbe {
    /// Not a variable of `main`: `dispatchMain` ends the main thread, and what its stack held would be a leak.
    private static let arguments = Array(CommandLine.arguments.dropFirst())

    static func main() throws {
        switch arguments {
        case ["main", "dispatchMain"]: try onMainQueue { dispatchMain() }
        case ["main", "runLoop"]: try onMainQueue(handsOver: true) { while true { RunLoop.main.run() } }
        case ["main", "serving"]:
            try onMainQueue { try EventLoop.run { loop in try await loop.sleep(for: .seconds(3_600)) } }
        case ["main", "epoll"]: try inEpoll()
        case ["main", "nested"]: try inAnotherLoop()
        case ["chaos", "7"]:
            for line in try EventLoop.run({ loop in try await Chaos(seed: 7).run(on: loop) }) { print(line) }
        case ["idle", "epoll"]:
            let driver = try EventLoopDriver()
            idle(driver.eventLoop)
            var poller = try EpollPoller()
            try poller.add(driver)
            var events: [ReadyEvent] = []
            while true { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
        case ["idle", "nested"]:
            let outer = try Loop()
            let driver = try EventLoopDriver()
            _ = try NestedLoopAdapter(driver, in: outer)
            idle(driver.eventLoop)
            try outer.run()
        case ["idle", "queue"]:
            idle(try EventLoop.driven(by: DispatchQueue(label: "idle")))
            while true { sleep(3_600) }
        case ["idle", "main"]:
            idle(try EventLoop.driven(by: .main))
            dispatchMain()
        default:
            print(
                "usage: embedding-probe chaos 7, main dispatchMain|runLoop|serving|epoll|nested, or idle epoll|nested|queue|main"
            )
            exit(2)
        }
    }

    /// Does nothing for two seconds, with a timer that is due in an hour, and leaves.
    private static func idle(_ loop: EventLoop) {
        loop.schedule(after: .seconds(3_600)) {}
        loop.spawn {
            print("idle")
            fflush(nil)
            try? await loop.sleep(for: .seconds(2))
            print("over")
            exit(0)
        }
    }

    private static func inEpoll() throws {
        let expected = try EventLoop.run { loop in try await Chaos(seed: 7).run(on: loop) }
        let driver = try EventLoopDriver()
        var poller = try EpollPoller()
        try poller.add(driver)
        work(on: driver.eventLoop, expected)
        var events: [ReadyEvent] = []
        while true { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
    }

    private static func inAnotherLoop() throws {
        let expected = try EventLoop.run { loop in try await Chaos(seed: 7).run(on: loop) }
        let outer = try Loop()
        let driver = try EventLoopDriver()
        _ = try NestedLoopAdapter(driver, in: outer)
        work(on: driver.eventLoop, expected)
        try outer.run()
    }

    /// - Parameter handsOver: Whether the driver serves the main actor before the queue gets it.
    private static func onMainQueue(handsOver: Bool = false, _ serve: () throws -> Void) throws {
        let expected = try EventLoop.run { loop in try await Chaos(seed: 7).run(on: loop) }
        let loop: EventLoop
        if handsOver {
            let driver = try EventLoopDriver(label: "main queue")
            loop = driver.eventLoop
            _ = try DispatchLoopAdapter(driver, on: .main)
        } else {
            loop = try EventLoop.driven(by: .main, label: "main queue")
        }
        work(on: loop, expected, goesOn: true)
        try serve()
    }

    /// - Parameter goesOn: Whether the main actor is alive after the loop's end.
    private static func work(on loop: EventLoop, _ expected: [String], goesOn: Bool = false) {
        Task(executorPreference: loop) {
            do {
                print("main actor and back:", await add(1, 2) == 3 && loop.isCurrent)
                print("main queue:", await fromMainQueue() == 42)
                print("an operation of the loop on the main actor:", try await sleepOnMainActor(loop, inTurns: !goesOn))
                print("chaos:", try await Chaos(seed: 7).run(on: loop) == expected)
                print("main actor while the loop is busy:", await beatsWhile(loop) >= 10)
                if goesOn {
                    await loop.shutdown()
                    print("main actor after the end:", await add(3, 4) == 7)
                }
            } catch { print("failed: \(error)") }
            exit(0)
        }
    }

    @MainActor static func add(_ left: Int, _ right: Int) -> Int {
        MainActor.preconditionIsolated()
        return left + right
    }

    static func fromMainQueue() async -> Int {
        await withCheckedContinuation { continuation in
            DispatchQueue.main.async { continuation.resume(returning: 42) }
        }
    }

    /// - Parameter inTurns: Whether the main actor's code runs in the loop's turns.
    @MainActor static func sleepOnMainActor(_ loop: EventLoop, inTurns: Bool) async throws -> Bool {
        try await loop.sleep(for: .milliseconds(2))
        MainActor.preconditionIsolated()
        return loop.isCurrent == inTurns
    }

    /// How often the main actor runs while a task of the loop never waits.
    static func beatsWhile(_ loop: EventLoop) async -> Int {
        let busy = loop.spawn { while !Task.isCancelled { await Task.yield() } }
        var beats = 0
        for _ in 0..<10 { beats += await add(0, 1) }
        busy.cancel()
        try? await busy.value
        return beats
    }
}
