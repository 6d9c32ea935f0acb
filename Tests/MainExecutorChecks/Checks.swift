import AsyncUV
import Foundation
import Synchronization
import SystemPackage
import UVMainExecutor

/// What a program has to find in which one loop is the executor of everything. Prints a line for each thing, which a test reads.
public enum Checks {
    @MainActor public static func run() async throws {
        guard let loop = MainLoop.loop else { return print("no loop: false") }
        check(
            "the loop is the current and the shared one",
            loop.isCurrent && loop === EventLoop.current && loop === EventLoop.shared)
        check("a detached task is on the main thread", await Task.detached { isMainThread && loop.isCurrent }.value)
        check("a task of the main actor, too", await Task { @MainActor in isMainThread }.value)
        check("and one that prefers the loop", try await loop.spawn { isMainThread }.value)
        check("an actor without an executor, too", await Ledger().isOnMainThread)
        try await sleeps()
        try await talks(loop)
        await manyTasks()
        try await otherThreads(loop)
        check("the main queue is served", await mainQueue())
        check("offload is elsewhere", try await loop.offload { !isMainThread })
        try await cancels(loop)
        try await signals()
        try await reads()
        check("a deadline", try await deadline())
        check("a group of loops beside it", try await otherLoop())
        check("its shutdown does nothing", try await ignoresShutdown(loop))
        try await idles(loop)
    }

    static var isMainThread: Bool { Thread.isMainThread }

    static func check(_ what: String, _ isTrue: Bool) { print("\(what): \(isTrue)") }

    private static func sleeps() async throws {
        var shortest = Duration.seconds(1_000)
        // The machine may be busy: once is enough.
        for _ in 0..<10 where shortest >= .seconds(1) {
            let start = ContinuousClock.now
            try await Task.sleep(for: .milliseconds(20))
            shortest = min(shortest, ContinuousClock.now - start)
        }
        check(
            "Task.sleep is not early, nor late by more than a second",
            shortest >= .milliseconds(20) && shortest < .seconds(1))
        var order: [Int] = []
        // All must sleep before the first one wakes.
        for milliseconds in [20, 200, 2_000] where order != [1, 2, 3] {
            let log = Log()
            let start = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                for number in [3, 1, 2] {
                    group.addTask {
                        try? await Task.sleep(until: start + .milliseconds(milliseconds * number))
                        log.order.withLock { $0.append(number) }
                    }
                }
            }
            order = log.order.withLock { $0 }
        }
        check("sleeps end in their order", order == [1, 2, 3])
        try await Task.sleep(nanoseconds: 1_000_000)
        try await SuspendingClock().sleep(until: .now + .milliseconds(1))
        try await Task.sleep(for: .zero)
        try await Task.sleep(until: .now - .seconds(1))
        check("other clocks, and times that have passed", isMainThread)
    }

    private static func talks(_ loop: EventLoop) async throws {
        let before = try await loop.counters.foreignJobs
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let serving = Task {
            try await listener.serve { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
        let connection = try await TCPConnection.connect(to: listener.localAddress)
        var isEcho = true
        for round in 0..<100 {
            try await connection.write([UInt8](repeating: UInt8(round), count: 100))
            isEcho = try await connection.read(exactly: 100) == [UInt8](repeating: UInt8(round), count: 100) && isEcho
        }
        await connection.close()
        await listener.close()
        try await serving.value
        check("an echo", isEcho && isMainThread)
        check("which took no job of another thread", try await loop.counters.foreignJobs == before)
    }

    private static func manyTasks() async {
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<10_000 {
                group.addTask {
                    await Task.yield()
                    return await addOnMainActor(number, 1)
                }
            }
            return await group.reduce(0, +)
        }
        check("ten thousand tasks", sum == 50_005_000)
    }

    @MainActor private static func addOnMainActor(_ left: Int, _ right: Int) -> Int {
        MainActor.assertIsolated()
        return left + right
    }

    private static func otherThreads(_ loop: EventLoop) async throws {
        let count = 1_000
        let log = Log()
        await withCheckedContinuation { continuation in
            for _ in 0..<4 {
                Thread.detachNewThread {
                    for _ in 0..<count / 4 {
                        Task {
                            let isRight = isMainThread && loop.isCurrent
                            if log.calls.add(isRight ? 1 : 0, ordering: .relaxed).newValue == count {
                                continuation.resume()
                            }
                        }
                    }
                }
            }
        }
        check("tasks that other threads start", log.calls.load(ordering: .relaxed) == count)
    }

    private static func mainQueue() async -> Bool {
        await withCheckedContinuation { continuation in
            DispatchQueue.main.async {
                MainActor.assumeIsolated { continuation.resume(returning: isMainThread) }
            }
        }
    }

    private static func cancels(_ loop: EventLoop) async throws {
        let tasks = [
            Task { try await Task.sleep(for: .seconds(100)) },
            Task { try await loop.sleep(for: .seconds(100)) },
            Task.detached { try await loop.sleep(for: .seconds(100)) },
            Task { @MainActor in _ = try await TCPListener.bind(host: "127.0.0.1", port: 0).accept() },
        ]
        await Task.yield()
        for task in tasks { task.cancel() }
        var cancelled = 0
        for task in tasks {
            do { try await task.value } catch is CancellationError { cancelled += 1 }
        }
        check("cancellation ends sleeps and waits", cancelled == tasks.count)
    }

    private static func signals() async throws {
        let signals = try await Signals.watch(.user1)
        kill(getpid(), SIGUSR1)
        check("signals arrive", try await signals.next() == .user1)
    }

    /// Standard input has 'hello', says the test.
    private static func reads() async throws {
        let input = FileDescriptor(rawValue: 0)
        var bytes: [UInt8] = []
        while true {
            try await waitUntilReadable(input)
            var chunk = [UInt8](repeating: 0, count: 100)
            let count = unsafe try chunk.withUnsafeMutableBytes { unsafe try input.read(into: $0) }
            if count == 0 { break }
            bytes += chunk.prefix(count)
        }
        check("standard input", bytes == Array("hello\n".utf8) && isMainThread)
    }

    private static func deadline() async throws -> Bool {
        do {
            try await withTimeout(.milliseconds(10)) { try await Task.sleep(for: .seconds(100)) }
            return false
        } catch { return (error as? UVError)?.code == .timedOut }
    }

    private static func otherLoop() async throws -> Bool {
        let loop = try EventLoop()
        let isElsewhere = try await loop.spawn { !isMainThread && loop.isCurrent }.value
        await loop.shutdown()
        return isElsewhere && isMainThread
    }

    private static func ignoresShutdown(_ loop: EventLoop) async throws -> Bool {
        await loop.shutdown()
        try await loop.sleep(for: .milliseconds(1))
        return loop.isCurrent
    }

    private static func idles(_ loop: EventLoop) async throws {
        let before = try await loop.counters.turns
        try await Task.sleep(for: .milliseconds(500))
        check("an idle loop takes no turns", try await loop.counters.turns - before < 10)
    }
}

private actor Ledger {
    var isOnMainThread: Bool { Checks.isMainThread }
}

private final class Log: Sendable {
    let order = Mutex<[Int]>([])
    let calls = Atomic(0)
}
