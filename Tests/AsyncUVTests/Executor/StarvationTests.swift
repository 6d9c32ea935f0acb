import AsyncUV
import TestSupport
import Testing

/// Tasks that never rest leave IO, timers and other threads their share.
@Suite(.ownThread, .timeLimit(.minutes(patience))) struct StarvationTests {
    @Test func tasksThatYieldForEver() throws {
        try onLoop { loop in
            let restless = (0..<4).map { _ in loop.spawn { while !Task.isCancelled { await Task.yield() } } }
            let (near, far) = try await connectedPair()
            for index in 0..<100 {
                try await near.write([UInt8(index)])
                #expect(try await far.read() == [UInt8(index)])
            }
            for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
            #expect(await Task.detached { try? await loop.withLoop { _ in 5 } }.value == 5)
            for task in restless { task.cancel() }
            for task in restless { try await task.value }
        }
    }

    @Test func tasksThatSpawnForEver() throws {
        try EventLoop.run { loop in
            let stop = Shared(false)
            @Sendable func again() { if !stop.value { loop.spawn { again() } } }
            for _ in 0..<1_000 { again() }
            for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
            stop.value = true
        }
    }

    @Test("However many events there are, a turn runs 512 jobs at most when more are left")
    func jobsOfATurn() throws {
        try onLoop { loop in
            var pairs: [(TCPConnection, TCPConnection)] = []
            for _ in 0..<100 { pairs.append(try await connectedPair()) }
            let restless = (0..<100).map { _ in loop.spawn { while !Task.isCancelled { await Task.yield() } } }
            let before = try await loop.counters
            try await withThrowingDiscardingTaskGroup { group in
                for (near, far) in pairs {
                    group.addTask {
                        for _ in 0..<20 {
                            try await near.write([1])
                            _ = try await far.read()
                        }
                    }
                }
            }
            let after = try await loop.counters
            #expect(after.jobs - before.jobs <= 512 * (after.turns - before.turns + 2))
            for task in restless { task.cancel() }
            for task in restless { try await task.value }
            for (near, far) in pairs {
                await near.close()
                await far.close()
            }
        }
    }

    @Test("A turn of jobs that compute ends after a millisecond, or what 64 of them take")
    func jobsThatCompute() throws {
        try EventLoop.run { loop in
            let busy = (0..<10).map { _ in
                loop.spawn {
                    while !Task.isCancelled {
                        let end = LoopClock.Instant.now.advanced(by: .microseconds(100))
                        while LoopClock.Instant.now < end {}
                        await Task.yield()
                    }
                }
            }
            let before = try await loop.counters
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            let after = try await loop.counters
            #expect(after.jobs - before.jobs <= 64 * (after.turns - before.turns + 2))
            for task in busy { task.cancel() }
            for task in busy { try await task.value }
        }
    }

    @Test("A zero sleep in a loop lets others run")
    func zeroSleeps() throws {
        try EventLoop.run { loop in
            let done = Shared(false)
            let waiter = loop.spawn {
                try await loop.sleep(for: .milliseconds(3))
                done.value = true
            }
            while !done.value { try await loop.sleep(for: .zero) }
            try await waiter.value
        }
    }

    @Test("Readers that always find bytes do not keep timers waiting")
    func streamsThatNeverRest() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let writer = loop.spawn { while true { try await near.write([UInt8](repeating: 1, count: 65_536)) } }
            let reader = loop.spawn { while try await far.read() != nil {} }
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            writer.cancel()
            reader.cancel()
            #expect(await failure(of: writer) is CancellationError)
            #expect(await failure(of: reader) is CancellationError)
        }
    }
}
