import AsyncUV
import TestSupport
import Testing

@Suite(.ownThread) struct SemaphoreTests {
    @Test func soManyAreInAtATime() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 3, on: loop)
            let inside = Inside()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask(executorPreference: loop) {
                        try await semaphore.withPermit { await inside.visit() }
                    }
                }
                try await group.waitForAll()
            }
            #expect(inside.counts.value == (0, 3))
        }
    }

    @Test func permitsGoToThoseWhoHaveWaitedLongest() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 1, on: loop)
            try await semaphore.acquire()
            let order = Shared<[Int]>([])
            let tasks = try await inOrder(0..<4, on: loop) { number in
                try await semaphore.withPermit { order.change { $0.append(number) } }
            }
            tasks[1].cancel()
            #expect(await failure(of: tasks[1]) is CancellationError)
            semaphore.release()
            // It was promised to the first.
            #expect(try await semaphore.tryAcquire() == false)
            for task in [tasks[0], tasks[2], tasks[3]] { try await task.value }
            #expect(order.value == [0, 2, 3])
            #expect(try await semaphore.tryAcquire())
            #expect(try await semaphore.tryAcquire() == false)
        }
    }

    @Test func aPermitIsNotLostByACancellationThatComesTooLate() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 0, on: loop)
            let tasks = try await inOrder(0..<2, on: loop) { _ in try await semaphore.acquire() }
            semaphore.release()
            tasks[0].cancel()
            try await tasks[0].value
            semaphore.release()
            try await tasks[1].value
        }
    }

    @Test func anErrorInsideGivesThePermitBack() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 1, on: loop)
            await expectError(.endOfFile) {
                try await semaphore.withPermit { throw UVError(.endOfFile, in: "test") }
            }
            try await semaphore.acquire(timeout: .zero)
        }
    }

    @Test func timeoutsNameTheSemaphore() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 0, label: "uploads", on: loop)
            var text = ""
            do { try await semaphore.acquire(timeout: .milliseconds(1)) } catch { text = "\(error)" }
            #expect(text == "timed out (ETIMEDOUT) in acquire of semaphore \"uploads\"")
            semaphore.release()
            try await semaphore.acquire(timeout: .zero)
        }
    }

    @Test func debtsArePaidFirst() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: -1, on: loop)
            let task = loop.spawn { try await semaphore.acquire() }
            try await loop.waitUntilIdle(waits: 1)
            semaphore.release()
            #expect(try await semaphore.tryAcquire() == false)
            semaphore.release()
            try await task.value
            #expect(try await semaphore.tryAcquire() == false)
        }
    }

    @Test func itWorksFromOtherThreads() async throws {
        try await withOwnLoop { loop in
            let semaphore = AsyncSemaphore(permits: 2, on: loop)
            let inside = Inside()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        try await semaphore.withPermit { await inside.visit() }
                    }
                }
                try await group.waitForAll()
            }
            #expect(inside.counts.value.now == 0 && 1...2 ~= inside.counts.value.most)
        }
    }

    @Test func aLoopThatEndsLeavesNobodyWaiting() async throws {
        let loop = try EventLoop()
        let semaphore = AsyncSemaphore(permits: 0, on: loop)
        let task = loop.spawn { try await semaphore.acquire() }
        try await loop.waitUntilIdle(waits: 1)
        await loop.shutdown()
        #expect(code(of: await failure(of: task)) == .canceled)
        await expectError(.canceled) { _ = try await semaphore.tryAcquire() }
        semaphore.release()
    }
}

/// Counts how many tasks are in at the same time.
private struct Inside {
    let counts = Shared((now: 0, most: 0))

    func visit() async {
        counts.change {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
        await Task.yield()
        counts.change { $0.now -= 1 }
    }
}
