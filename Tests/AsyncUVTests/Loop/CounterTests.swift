import AsyncUV
import Foundation
import TestSupport
import Testing

/// The reason to be of the module: async code without thread hops, proved by counting.
@Suite(.soleCounters, .ownThread) struct CounterTests {
    @Test("10,000 echoed messages: no job from another thread")
    func echoOnOneLoop() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let client = try await server.connect()
            let before = try await loop.counters
            for index in 0..<10_000 {
                try await client.write([UInt8(truncatingIfNeeded: index)])
                #expect(try await client.read(exactly: 1) == [UInt8(truncatingIfNeeded: index)])
            }
            let after = try await loop.counters
            #expect(after.foreignJobs == before.foreignJobs)
            #expect(after.wakeUps == before.wakeUps)
            #expect(after.jobs > before.jobs && after.turns > before.turns)
            await client.close()
            try await server.end()
        }
    }

    @Test("Timeouts that are not needed, and cancellation on the loop: no job from another thread")
    func timeouts() throws {
        try onLoop { loop in
            let before = try await loop.counters
            for _ in 0..<1_000 { try await withTimeout(.seconds(100)) { await Task.yield() } }
            for _ in 0..<1_000 {
                let sleeping = loop.spawn { try await loop.sleep(for: .seconds(100)) }
                try await loop.sleep(for: .zero)
                sleeping.cancel()
                #expect(await failure(of: sleeping) is CancellationError)
            }
            let after = try await loop.counters
            #expect(after.foreignJobs == before.foreignJobs && after.wakeUps == before.wakeUps)
        }
    }

    @Test("An actor on serialExecutor echoes 10,000 messages: no job from another thread")
    func actorOnTheLoop() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let client = try await server.connect()
            let actor = LoopCounter(loop)
            try await actor.echo(1, over: client)
            let before = try await loop.counters
            try await actor.echo(10_000, over: client)
            let after = try await loop.counters
            #expect(after.foreignJobs == before.foreignJobs)
            await client.close()
            try await server.end()
        }
    }

    @Test("An actor on serialExecutor called by a task that does not prefer the loop: a constant number of jobs")
    func actorOnTheLoopCalledFromElsewhere() async throws {
        try await withOwnLoop { loop in
            let server = try await EchoServer(on: loop)
            let client = try await server.connect()
            let actor = LoopCounter(loop)
            let before = try await loop.counters.foreignJobs
            try await actor.echo(1_000, over: client)
            let after = try await loop.counters.foreignJobs
            #expect(after - before <= 10)
            await client.close()
            try await server.end()
        }
    }

    @Test("Sequences in such an actor: a constant number of jobs, however many elements")
    func sequencesInAnActorCalledFromElsewhere() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let listener = try await TCPListener.onLoopback(on: loop)
            let signals = try await Signals.watch(.user2, on: loop)
            let actor = LoopCounter(loop)
            let feeding = loop.spawn {
                for number in 0..<200 {
                    try await far.write(Array("line \(number)\n".utf8))
                    try await loop.sleep(for: .zero)
                }
                for _ in 0..<200 { await (try TCPConnection.connect(to: listener)).close() }
                while !Task.isCancelled {
                    // To this thread: one to the process may be delivered late, when nobody watches any more.
                    raise(SIGUSR2)
                    try await loop.sleep(for: .milliseconds(1))
                }
            }
            let before = try await loop.counters.foreignJobs
            #expect(try await actor.take(200, of: near.lines()) == 200)
            #expect(try await actor.take(200, of: listener.connections) == 200)
            #expect(try await actor.take(100, of: signals) == 100)
            #expect(try await actor.take(100, of: loop.ticks(every: .milliseconds(1))) == 100)
            let after = try await loop.counters.foreignJobs
            #expect(after - before <= 20)
            feeding.cancel()
            _ = await feeding.result
            await listener.close()
            await near.close()
            await far.close()
        }
    }

    @Test("An ordinary task: one job for each operation that waits, none more")
    func ordinaryTask() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let echo = loop.spawn { for try await chunk in near { try await near.write(chunk) } }
            let before = try await loop.counters.foreignJobs
            for _ in 0..<1_000 {
                try await far.write([1])
                _ = try await far.read()
            }
            let after = try await loop.counters.foreignJobs
            #expect(after - before <= 2 * 1_000 + 10)
            await far.close()
            try await echo.value
        }
    }

    @Test func jobsFromOtherThreadsAreCounted() async throws {
        try await withOwnLoop { loop in
            let before = try await loop.counters
            for _ in 0..<100 { try await loop.withLoop { _ in } }
            let after = try await loop.counters
            #expect(after.foreignJobs - before.foreignJobs >= 100)
            #expect(after.wakeUps > before.wakeUps)
        }
    }

    @Test("Spawned tasks, child tasks, sleeps and yields stay at home")
    func tasksAtHome() throws {
        try EventLoop.run { loop in
            let before = try await loop.counters
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<1_000 {
                    group.addTask {
                        try await loop.sleep(for: .microseconds(number))
                        async let one = loop.spawn { 1 }.value
                        return try await one
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1_000)
            #expect(try await loop.counters.foreignJobs == before.foreignJobs)
        }
    }
}

/// Sends back what it gets.
struct EchoServer: Sendable {
    let listener: TCPListener
    private let serving: Task<Void, any Error>

    init(on loop: EventLoop) async throws {
        let listener = try await TCPListener.onLoopback(on: loop)
        self.listener = listener
        serving = loop.spawn {
            try await listener.serve { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
    }

    func connect() async throws -> TCPConnection {
        try await TCPConnection.connect(to: listener.localAddress, on: listener.loop)
    }

    /// Waits until the clients are gone.
    func end() async throws {
        await listener.close()
        try await serving.value
    }
}

extension LoopCounter {
    /// Iterates here, on the loop.
    func take<Sequence: AsyncSequence & Sendable>(_ count: Int, of sequence: Sequence) async throws -> Int {
        var taken = 0
        for try await _ in sequence {
            #expect(loop.isCurrent)
            taken += 1
            if taken == count { break }
        }
        return taken
    }
}
