import AsyncUV
import Dispatch
import Readiness
import TestSupport
import Testing
import UV
import UVEmbedding

/// An `EventLoop` without a thread: its end, its idleness, and fairness in both directions.
@Suite(.ownThread) struct EventLoopDriverTests {
    @Test(arguments: Way.allCases) func whatWaitsIsCanceledByShutdown(_ way: Way) throws {
        let waiting = Shared<Task<Void, any Error>?>(nil)
        try drive(by: way) { loop in
            waiting.value = loop.spawn { try await loop.sleep(for: .seconds(100)) }
            try await loop.sleep(for: .milliseconds(1))
        }
        let task = try #require(waiting.value)
        let done = DispatchSemaphore(value: 0)
        let error = Shared<(any Error)?>(nil)
        Task {
            if case .failure(let failure) = await task.result { error.value = failure }
            done.signal()
        }
        done.wait()
        #expect((error.value as? UVError)?.code == .canceled)
    }

    @Test(arguments: Way.allCases) func aLoopThatHasEndedRefuses(_ way: Way) throws {
        let loop = try drive(by: way) { $0 }
        let done = DispatchSemaphore(value: 0)
        Task {
            await expectError(.canceled) { try await loop.sleep(for: .milliseconds(1)) }
            await loop.shutdown()
            done.signal()
        }
        done.wait()
    }

    @Test(arguments: Way.allCases) func tasksThatYieldForEverStarveNobody(_ way: Way) throws {
        try drive(by: way) { loop in
            let busy = loop.spawn { while !Task.isCancelled { await Task.yield() } }
            let (ticks, files) = try await loop.spawn {
                async let files = FileSystem.exists("/")
                var ticks = 0
                for try await _ in loop.ticks(every: .milliseconds(1)) {
                    ticks += 1
                    if ticks == 10 { break }
                }
                return (ticks, try await files)
            }.value
            #expect(ticks == 10 && files)
            busy.cancel()
            try await busy.value
        }
    }

    @Test func aBusyLoopDoesNotStarveItsQueue() throws {
        let queue = DispatchQueue(label: "shared")
        let loop = try EventLoop.driven(by: queue)
        let busy = loop.spawn { while !Task.isCancelled { await Task.yield() } }
        // Each block comes behind the turn that waits in the queue, and before the next one.
        for _ in 0..<100 { queue.sync {} }
        busy.cancel()
        end(loop)
    }

    @Test func aBusyQueueDoesNotStarveItsLoop() throws {
        let queue = DispatchQueue(label: "shared")
        let isOver = Shared(false)
        @Sendable func again() { queue.async { if !isOver.value { again() } } }
        again()
        let loop = try EventLoop.driven(by: queue)
        let done = DispatchSemaphore(value: 0)
        Task(executorPreference: loop) {
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            isOver.value = true
            done.signal()
        }
        done.wait()
        end(loop)
    }

    @Test func aBusyDescriptorDoesNotStarveTheLoop() throws {
        let driver = try EventLoopDriver()
        let loop = driver.eventLoop
        let (near, far) = try FileDescriptor.tcpPair()
        defer { for socket in [near, far] { try? socket.close() } }
        var poller = try EpollPoller()
        try poller.add(driver)
        // Nobody reads: writable for ever.
        try poller.add(near.rawValue, .writable)
        let isOver = Shared(false)
        loop.spawn {
            for _ in 0..<20 { try? await loop.sleep(for: .milliseconds(1)) }
            isOver.value = true
        }
        var events: [ReadyEvent] = []
        var others = 0
        while !isOver.value {
            if try poller.wait(driving: driver, into: &events) { driver.turn() }
            others += events.count
        }
        #expect(others > 20)
        try poller.remove(driver)
        driver.close()
        #expect(driver.hasEnded)
    }

    @Test(arguments: Way.allCases) func anIdleLoopMakesNoTurns(_ way: Way) throws {
        let turns = try drive(by: way) { loop in
            let before = try await loop.counters.turns
            try await loop.sleep(for: .milliseconds(300))
            return try await loop.counters.turns - before
        }
        #expect(turns < 5)
    }

    @Test(arguments: [Way.epoll, .queue]) func theLoopIsCurrentInItsTurnsOnly(_ way: Way) throws {
        #expect(try drive(by: way) { loop in loop.isCurrent && EventLoop.current === loop })
        let driver = try EventLoopDriver(label: "ui")
        #expect(!driver.eventLoop.isCurrent && EventLoop.current == nil && "\(driver.eventLoop)" == "EventLoop \"ui\"")
        driver.close()
    }

    @Test func closeEndsTheLoopAtOnce() throws {
        let driver = try EventLoopDriver()
        let loop = driver.eventLoop
        let error = Shared<(any Error)?>(nil)
        let done = DispatchSemaphore(value: 0)
        loop.spawn {
            do { try await loop.sleep(for: .seconds(100)) } catch let thrown { error.value = thrown }
            done.signal()
        }
        for _ in 0..<3 { driver.turn() }
        driver.close()
        done.wait()
        #expect((error.value as? UVError)?.code == .canceled && driver.hasEnded)
        driver.turn()
    }

    @Test func closeWithinATurnEndsTheLoopInLaterTurns() throws {
        let driver = try EventLoopDriver()
        let loop = driver.eventLoop
        nonisolated(unsafe) let found = driver
        var ends = 0
        driver.onEnd = { error in
            #expect(error == nil)
            ends += 1
        }
        loop.spawn { unsafe found.close() }
        try run(driver, in: EpollPoller())
        #expect(ends == 1)
    }

    @Test func aDroppedDriverEndsItsLoop() throws {
        let loop = try EventLoopDriver().eventLoop
        let done = DispatchSemaphore(value: 0)
        Task {
            await loop.shutdown()
            await expectError(.canceled) { try await loop.sleep(for: .milliseconds(1)) }
            done.signal()
        }
        done.wait()
    }

    @Test func shutdownDoesNotBlockTheForeignLoop() throws {
        let driver = try EventLoopDriver()
        let loop = driver.eventLoop
        let started = DispatchSemaphore(value: 0)
        let release = DispatchSemaphore(value: 0)
        let slow = try drivenWork(on: driver, started, release)
        var poller = try EpollPoller()
        try poller.add(driver)
        var events: [ReadyEvent] = []
        while started.wait(timeout: .now()) == .timedOut {
            if try poller.wait(upTo: .milliseconds(1), driving: driver, into: &events) { driver.turn() }
        }
        Task { await loop.shutdown() }
        // The work cannot be stopped. The foreign loop goes on, and waits for the loop without turns in vain.
        var waits = 0
        let start = Loop.hrtime
        while Loop.hrtime - start < .milliseconds(200) {
            if try poller.wait(upTo: .milliseconds(200), driving: driver, into: &events) { driver.turn() }
            waits += 1
        }
        #expect(!driver.hasEnded && waits < 20)
        release.signal()
        while !driver.hasEnded { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
        #expect(slow.value)
    }

    /// Work of the pool that takes as long as the test wants.
    private func drivenWork(
        on driver: EventLoopDriver, _ started: DispatchSemaphore, _ release: DispatchSemaphore
    ) throws -> Shared<Bool> {
        let isDone = Shared(false)
        let loop = driver.eventLoop
        loop.spawn {
            _ = try? await loop.withLoop { loop in
                try WorkRequest.run(
                    on: loop,
                    {
                        started.signal()
                        release.wait()
                    }, onDone: { _, _ in isDone.value = true })
                return
            }
        }
        return isDone
    }

    private func end(_ loop: EventLoop) {
        let done = DispatchSemaphore(value: 0)
        Task {
            await loop.shutdown()
            done.signal()
        }
        done.wait()
    }
}
