import AsyncAlgorithms
import AsyncUV
import CWakeUp

/// What is measured: each returns nanoseconds for one of what it does, on the executor of the task that calls it.
enum Work {
    /// The thread's CPU time: all happens on the one thread, and other programs may take its core away.
    private static func nanoseconds(_ count: Int, _ body: () async throws -> Void) async rethrows -> Double {
        let start = thread_cpu_clock()
        try await body()
        return Double(thread_cpu_clock() - start) / Double(count)
    }

    // MARK: Switching

    /// Two tasks that take turns: each resumes the other and suspends.
    static func handOver(_ count: Int) async -> Double {
        let seats = Seats()
        return await nanoseconds(count) {
            async let first: Void = seats.takeTurns(count / 2)
            async let second: Void = seats.takeTurns(count / 2)
            _ = await (first, second)
        }
    }

    /// Two tasks that do nothing but `Task.yield()`. The runtime makes two jobs of each.
    static func yield(_ count: Int) async -> Double {
        await nanoseconds(count) {
            async let first: Void = yieldOnly(count / 2)
            async let second: Void = yieldOnly(count / 2)
            _ = await (first, second)
        }
    }

    private static func yieldOnly(_ count: Int) async {
        for _ in 0..<count { await Task.yield() }
    }

    // MARK: Spawning

    /// All tasks are there before the first runs; each gives way once; then all are awaited.
    static func spawn(_ count: Int) async throws -> Double {
        await nanoseconds(count) {
            await withDiscardingTaskGroup { group in
                for _ in 0..<count { group.addTask { await Task.yield() } }
            }
        }
    }

    /// The same with unstructured tasks, which each have a handle.
    static func spawn(_ count: Int, on loop: EventLoop) async throws -> Double {
        try await nanoseconds(count) {
            var tasks: [Task<Void, any Error>] = []
            tasks.reserveCapacity(count)
            for _ in 0..<count { tasks.append(loop.spawn { await Task.yield() }) }
            for task in tasks { try await task.value }
        }
    }

    // MARK: The loop's own

    static func sleepZero(_ count: Int, on loop: EventLoop) async throws -> Double {
        try await nanoseconds(count) {
            for _ in 0..<count { try await loop.sleep(for: .zero) }
        }
    }

    /// A task that is cancelled while it sleeps: with its start and its end.
    static func cancelledSleep(_ count: Int, on loop: EventLoop) async throws -> Double {
        await nanoseconds(count) {
            for _ in 0..<count {
                let task = loop.spawn { try await loop.sleep(for: .seconds(3600)) }
                await Task.yield()
                task.cancel()
                _ = await task.result
            }
        }
    }

    /// A deadline that does not come, around something that gives way once.
    static func timeout(_ count: Int) async throws -> Double {
        try await nanoseconds(count) {
            for _ in 0..<count { try await withTimeout(.seconds(3600)) { await Task.yield() } }
        }
    }

    /// The least that a timeout could be: one child task that does the same.
    static func childTask(_ count: Int) async -> Double {
        await nanoseconds(count) {
            for _ in 0..<count { await withTaskGroup(of: Void.self) { group in group.addTask { await Task.yield() } } }
        }
    }

    /// One task sends numbers, another takes them.
    static func channel(_ count: Int, capacity: Int, on loop: EventLoop) async throws -> Double {
        let channel = Channel<Int>(capacity: capacity, on: loop)
        return try await nanoseconds(count) {
            async let sending: Void = {
                for number in 0..<count { try await channel.send(number) }
                channel.finish()
            }()
            for try await _ in channel {}
            try await sending
        }
    }

    static func asyncChannel(_ count: Int) async -> Double {
        let channel = AsyncChannel<Int>()
        return await nanoseconds(count) {
            async let sending: Void = {
                for number in 0..<count { await channel.send(number) }
                channel.finish()
            }()
            for await _ in channel {}
            await sending
        }
    }

    static func semaphore(_ count: Int, on loop: EventLoop) async throws -> Double {
        let semaphore = AsyncSemaphore(permits: 1, on: loop)
        return try await nanoseconds(count) {
            for _ in 0..<count { try await semaphore.withPermit {} }
        }
    }

    /// A task of the loop calls an actor on the loop: there and back.
    static func actorCall(_ count: Int, on loop: EventLoop) async throws -> Double {
        let counter = Counter(loop)
        return await nanoseconds(count) {
            for _ in 0..<count { await counter.increment() }
        }
    }

    /// A task elsewhere has something done on the loop: there and back, between threads.
    static func callFromElsewhere(_ count: Int, on loop: EventLoop) async throws -> Double {
        try await Task.detached {
            let start = wake_up_clock()
            for _ in 0..<count { try await loop.withLoop { _ in } }
            return Double(wake_up_clock() - start) / Double(count)
        }.value
    }
}

/// Where each of two tasks waits while it is the other's turn. On one thread only.
private final class Seats: @unchecked Sendable {
    @exclusivity(unchecked) private var waiting: UnsafeContinuation<Void, Never>?

    func takeTurns(_ count: Int) async {
        for _ in 0..<count {
            await withUnsafeContinuation { continuation in
                let other = waiting
                waiting = continuation
                other?.resume()
            }
        }
        waiting?.resume()
        waiting = nil
    }
}

private actor Counter {
    private let loop: EventLoop
    private var count = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serialExecutor.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func increment() { count += 1 }
}
