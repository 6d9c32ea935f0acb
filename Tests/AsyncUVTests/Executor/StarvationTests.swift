import AsyncUV
import TestSupport
import Testing

/// Tasks that never rest leave IO, timers and other threads their share.
@Suite(.ownThread) struct StarvationTests {
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

    /// Calls that find what they need at once.
    enum DoneAtOnce: String, CaseIterable {
        case smallWrites, severalChunks, emptyWrites, unreadAndRead, readsOfAByte, readsOfNothing, lines, numericHosts

        /// Does something 16,384 times, or until it throws if it goes on for ever.
        func run(_ near: TCPConnection, forEver: Bool) async throws {
            var rounds = 0
            func goesOn() -> Bool {
                rounds += 1
                return forEver || rounds <= 16_384
            }
            switch self {
            case .smallWrites: while goesOn() { try await near.write([1]) }
            case .severalChunks: while goesOn() { try await near.write(contentsOf: [[1], [2]]) }
            case .emptyWrites: while goesOn() { try await near.write([]) }
            case .unreadAndRead:
                while goesOn() {
                    try await near.unread([1])
                    _ = try await near.read()
                }
            case .readsOfAByte:
                try await near.unread([UInt8](repeating: 1, count: 16_384))
                while goesOn() {
                    _ = try await near.read(upTo: 1)
                    if forEver { try await near.unread([1]) }
                }
            case .readsOfNothing: while goesOn() { _ = try await near.read(exactly: 0) }
            case .numericHosts: while goesOn() { _ = try await Resolver.addresses(of: "127.0.0.1", port: 1) }
            case .lines:
                try await near.unread([UInt8](repeating: 10, count: 16_384))
                while goesOn() {
                    _ = try await near.readLine()
                    if forEver { try await near.unread([10]) }
                }
            }
        }
    }

    @Test(
        "What is done at once gives way now and then: to tasks, and to a turn of the loop",
        arguments: DoneAtOnce.allCases)
    func callsThatNeverWait(_ call: DoneAtOnce) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let runs = Shared(0)
            let other = loop.spawn {
                while !Task.isCancelled {
                    runs.value += 1
                    await Task.yield()
                }
            }
            while runs.value == 0 { await Task.yield() }
            let (runsBefore, turnsBefore) = (runs.value, try await loop.counters.turns)
            try await call.run(near, forEver: false)
            #expect(runs.value - runsBefore >= 4)
            #expect(try await loop.counters.turns - turnsBefore >= 4)
            other.cancel()
            try await other.value
            await near.close()
            await far.close()
        }
    }

    @Test("What is done at once for ever ends with its timeout", arguments: DoneAtOnce.allCases)
    func callsThatNeverWaitAndATimeout(_ call: DoneAtOnce) throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let reader = loop.spawn { while try await far.read() != nil {} }
            await expectError(.timedOut) {
                try await withTimeout(.milliseconds(20)) { try await call.run(near, forEver: true) }
            }
            await near.close()
            try await reader.value
            await far.close()
        }
    }
}
