import AsyncUV
import TestSupport
import Testing

@Suite(.soleCounters, .ownThread) struct LoopActorTests {
    private actor Counter: LoopActor {
        let loop: EventLoop
        private(set) var count = 0
        private(set) var wasElsewhere = false

        init(on loop: EventLoop) { self.loop = loop }

        func add() {
            count += 1
            if !loop.isCurrent { wasElsewhere = true }
        }
    }

    @Test func callsFromTheLoopStayThere() throws {
        let (count, wasElsewhere, foreign) = try EventLoop.run { loop in
            let counter = Counter(on: loop)
            let before = try await loop.counters
            await withDiscardingTaskGroup { group in
                for _ in 0..<1_000 { group.addTask { await counter.add() } }
            }
            let after = try await loop.counters
            return (await counter.count, await counter.wasElsewhere, after.foreignJobs - before.foreignJobs)
        }
        #expect(count == 1_000)
        #expect(!wasElsewhere)
        #expect(foreign == 0)
    }

    @Test func callsFromElsewhereAreTaken() async throws {
        let loop = try EventLoop()
        let counter = Counter(on: loop)
        await withDiscardingTaskGroup { group in
            for _ in 0..<1_000 { group.addTask { await counter.add() } }
        }
        #expect(await counter.count == 1_000)
        #expect(await !counter.wasElsewhere)
        await loop.shutdown()
        await counter.add()
        #expect(await counter.count == 1_001)
    }
}
