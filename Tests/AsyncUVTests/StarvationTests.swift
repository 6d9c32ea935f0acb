import AsyncUV
import TestSupport
import Testing

/// Tasks that never rest leave IO, timers and other threads their share.
@Suite(.ownThread, .timeLimit(.minutes(2))) struct StarvationTests {
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
