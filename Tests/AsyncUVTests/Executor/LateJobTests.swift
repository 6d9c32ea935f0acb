import AsyncUV
import Foundation
import Synchronization
import TestSupport
import Testing

/// Jobs that come when their loop has ended: none is lost, and actors stay isolated.
@Suite(.inTurn) struct LateJobTests {
    private static let threads = 8
    private static let increments = 5_000

    @Test func lateTaskJobsRun() async throws {
        let loop = try EventLoop()
        await loop.shutdown()
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 0..<1_000 {
                group.addTask(executorPreference: loop) {
                    await Task.yield()
                    return number
                }
            }
            return await group.reduce(0, +)
        }
        #expect(sum == 499_500)
    }

    @Test func tasksThatGiveWayWhileTheLoopEndsGoOn() async throws {
        for _ in 0..<5 {
            let loop = try EventLoop()
            let tasks = (0..<100).map { number in
                loop.spawn {
                    for _ in 0..<2_000 { try await loop.sleep(for: .zero) }
                    return number
                }
            }
            try await loop.withLoop { _ in }
            await loop.shutdown()
            var sum = 0
            for task in tasks { sum += try await task.value }
            #expect(sum == 4_950)
        }
    }

    @Test(.ownThread) func givingWayLetsEachOtherRunOnce() throws {
        let order = try EventLoop.run { loop in
            let order = Order()
            let tasks = (0..<3).map { number in
                loop.spawn {
                    for _ in 0..<3 {
                        order.add(number)
                        try await loop.sleep(for: .zero)
                    }
                }
            }
            for task in tasks { try await task.value }
            return order.numbers
        }
        #expect(order == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    }

    @Test("Eight tasks on pool threads, an actor whose loop has ended: no increment is lost")
    func lateActorJobsStayIsolated() async throws {
        let loop = try EventLoop()
        let counter = LoopCounter(loop)
        await loop.shutdown()
        await Self.increment(counter, in: { body in Task.detached { await body() } })
        #expect(await counter.value == Self.threads * Self.increments)
        #expect(await counter.overlaps == 0)
    }

    @Test("The same with the loop ending meanwhile")
    func actorJobsAroundTheEnd() async throws {
        for _ in 0..<5 {
            let loop = try EventLoop()
            let counter = LoopCounter(loop)
            async let incrementing: Void = Self.increment(counter, in: { body in Task.detached { await body() } })
            await counter.reach(Self.increments)
            await loop.shutdown()
            await incrementing
            #expect(await counter.value == Self.threads * Self.increments)
            #expect(await counter.overlaps == 0)
        }
    }

    @Test("Tasks with a preference for the loop, and threads of their own, call the actor while the loop ends")
    func tasksOfTheLoopAroundTheEnd() async throws {
        let loop = try EventLoop()
        let counter = LoopCounter(loop)
        async let incrementing: Void = Self.increment(
            counter, in: { body in Task(executorPreference: loop) { await body() } })
        await counter.reach(Self.increments)
        await loop.shutdown()
        await incrementing
        #expect(await counter.value == Self.threads * Self.increments)
        #expect(await counter.overlaps == 0)
    }

    @Test func lateActorJobsKnowThatTheyAreIsolated() async throws {
        let loop = try EventLoop()
        let counter = LoopCounter(loop)
        await loop.shutdown()
        await counter.check()
    }

    @Test func callsFromOutsideAroundTheEndRunOrThrow() async throws {
        for _ in 0..<10 {
            let loop = try EventLoop()
            let ran = Shared(0)
            let counts = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<Self.threads {
                    group.addTask {
                        var refused = 0
                        for _ in 0..<200 {
                            do { try await loop.withLoop { _ in ran.change { $0 += 1 } } } catch { refused += 1 }
                        }
                        return refused
                    }
                }
                group.addTask {
                    for _ in 0..<20 { await Task.yield() }
                    await loop.shutdown()
                    return 0
                }
                return await group.reduce(0, +)
            }
            #expect(counts + ran.value == Self.threads * 200)
        }
    }

    /// Increments from many tasks at once, each in small steps.
    private static func increment(
        _ counter: LoopCounter, in start: (@escaping @Sendable () async -> Void) -> Task<Void, Never>
    ) async {
        let tasks = (0..<threads).map { _ in
            start { for _ in 0..<increments { await counter.increment() } }
        }
        for task in tasks { await task.value }
    }
}

/// An actor that lives on a loop and notices when it is not alone.
actor LoopCounter {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.serialExecutor.asUnownedSerialExecutor() }
    private(set) var value = 0
    private(set) var overlaps = 0
    private var isBusy = false
    private var awaited: (value: Int, CheckedContinuation<Void, Never>)?

    init(_ loop: EventLoop) { self.loop = loop }

    func increment() {
        if isBusy { overlaps += 1 }
        isBusy = true
        value += 1
        isBusy = false
        if let (value, continuation) = awaited, self.value >= value {
            awaited = nil
            continuation.resume()
        }
    }

    /// Waits until so many increments have been made.
    func reach(_ value: Int) async {
        if self.value >= value { return }
        await withCheckedContinuation { awaited = (value, $0) }
    }

    var isOnLoop: Bool { loop.isCurrent }

    func check() {
        preconditionIsolated()
        assumeIsolated { $0.increment() }
    }

    /// Sleeps, and tells whether it is still where it was.
    func sleepAndReturn() async throws -> Bool {
        try await loop.sleep(for: .milliseconds(1))
        preconditionIsolated()
        return loop.isCurrent
    }

    func echo(_ count: Int, over connection: TCPConnection) async throws {
        for index in 0..<count {
            try await connection.write([UInt8(truncatingIfNeeded: index)])
            let bytes = try await connection.read(exactly: 1)
            precondition(bytes == [UInt8(truncatingIfNeeded: index)])
        }
    }
}

/// Numbers in the order in which they came.
private final class Order: Sendable {
    private let all = Mutex<[Int]>([])
    func add(_ number: Int) { all.withLock { $0.append(number) } }
    var numbers: [Int] { all.withLock { $0 } }
}
