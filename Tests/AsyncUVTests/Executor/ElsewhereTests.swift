import TestSupport
import Testing

@testable import AsyncUV

/// Connections and listeners used from tasks that do not run on their loop: it works, and hops.
@Suite(.inTurn) struct ElsewhereTests {
    @Test func echoFromAnOrdinaryTask() async throws {
        try await withOwnLoop { loop in
            let server = try await EchoServer(on: loop)
            let client = try await server.connect()
            for index in 0..<200 {
                try await client.write(contentsOf: [[UInt8(index)], [1, 2]])
                #expect(try await client.read(exactly: 3) == [UInt8(index), 1, 2])
            }
            try await client.finishWriting()
            #expect(try await client.readToEnd() == [])
            await client.close()
            try await server.end()
        }
    }

    @Test("K4: 100,000 jobs from 8 threads run once each, those of a thread in their order")
    func jobsFromManyThreads() async throws {
        try await withOwnLoop { loop in
            let arrived = try await loop.withLoop { _ in LoopBound(Arrivals()) }
            try await withThrowingDiscardingTaskGroup { group in
                for thread in 0..<8 {
                    group.addTask {
                        try await onThread {
                            for number in 0..<12_500 {
                                loop.spawn { arrived.open(on: loop).numbers[thread].append(number) }
                            }
                        }
                    }
                }
            }
            // Behind them all.
            let numbers = try await loop.spawn { arrived.open(on: loop).numbers }.value
            for thread in 0..<8 { #expect(numbers[thread] == Array(0..<12_500)) }
        }
    }

    /// What has come from each of eight threads.
    private final class Arrivals {
        var numbers: [[Int]] = Array(repeating: [], count: 8)
    }

    @Test func echoBetweenTwoLoops() async throws {
        try await withOwnLoop { first in
            try await withOwnLoop { second in
                let server = try await EchoServer(on: first)
                let client = try await TCPConnection.connect(to: server.listener.localAddress, on: second)
                try await first.spawn {
                    for index in 0..<200 {
                        try await client.write([UInt8(index)])
                        #expect(first.isCurrent)
                        #expect(try await client.read(exactly: 1) == [UInt8(index)])
                        #expect(first.isCurrent)
                    }
                    await client.close()
                }.value
                try await server.end()
            }
        }
    }

    @Test func echoFromTheMainActorAndADefaultActor() async throws {
        try await withOwnLoop { loop in
            let server = try await EchoServer(on: loop)
            let client = try await server.connect()
            try await echoOnMainActor(over: client)
            try await Echoer().echo(over: client)
            try await loop.spawn { try await Echoer().echo(over: client) }.value
            try await loop.spawn { try await echoOnMainActor(over: client) }.value
            await client.close()
            try await server.end()
        }
    }

    @Test func twoReadersOnOtherThreads() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let errors = await withTaskGroup(of: UVError.Code?.self) { group in
                for _ in 0..<8 {
                    group.addTask { code(of: await failure(of: Task { try await near.read(upTo: 1) })) }
                }
                var errors: [UVError.Code?] = []
                while errors.count < 7, let error = await group.next() { errors.append(error) }
                try? await far.write([1])
                for await error in group { errors.append(error) }
                return errors
            }
            #expect(errors.filter { $0 == .alreadyInProcess }.count == 7)
            #expect(errors.filter { $0 == nil }.count == 1)
        }
    }

    @Test("Cancellation from other threads races with bytes: each is delivered once")
    func cancellationRaces() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
            async let writing: Void = {
                for byte in bytes { try await far.write([byte]) }
                try await far.finishWriting()
            }()
            var all: [UInt8] = []
            while all.count < bytes.count {
                let read = Task { try await near.read(upTo: 2) }
                if all.count % 3 == 0 { read.cancel() }
                do {
                    guard let chunk = try await read.value else { break }
                    all += chunk
                } catch is CancellationError {
                    if let chunk = try await near.read(upTo: 1) { all += chunk }
                }
            }
            try await writing
            #expect(all == bytes)
        }
    }

    @Test func eightTasksEchoOverTheirOwnConnections() async throws {
        try await withOwnLoop { loop in
            let server = try await EchoServer(on: loop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let client = try await server.connect()
                        for _ in 0..<100 {
                            try await client.write([UInt8(number)])
                            #expect(try await client.read(exactly: 1) == [UInt8(number)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await server.end()
        }
    }
}

private actor Echoer {
    private var count = 0

    func echo(over client: TCPConnection) async throws {
        for index in 0..<50 {
            count += 1
            try await client.write([UInt8(index)])
            #expect(try await client.read(exactly: 1) == [UInt8(index)])
            preconditionIsolated()
        }
        #expect(count == 50)
    }
}

@MainActor private func echoOnMainActor(over client: TCPConnection) async throws {
    for index in 0..<50 {
        try await client.write([UInt8(index)])
        #expect(try await client.read(exactly: 1) == [UInt8(index)])
        MainActor.preconditionIsolated()
    }
}
