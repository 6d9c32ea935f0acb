import AsyncUV
import Coroutines
import Testing

@Suite(.timeLimit(.minutes(1))) struct GreenTests {
    private struct Stop: Error, Equatable {}

    @Test func tasksInterleaveInTheOrderOfTheirSleeps() async throws {
        let transcript = Transcript()
        try await Green.joinAll([
            Green.spawn {
                transcript.add("one begins")
                try await Green.sleep(.milliseconds(40))
                transcript.add("one ends")
            },
            Green.spawn {
                transcript.add("two begins")
                try await Green.sleep(.milliseconds(20))
                transcript.add("two ends")
            },
        ])
        #expect(transcript.all == ["one begins", "two begins", "two ends", "one ends"])
    }

    @Test func sharedDataNeedsNoLock() async throws {
        @GreenActor final class Counter { var value = 0 }
        let counter = Counter()
        let tasks = (0..<100).map { _ in
            Green.spawn {
                for _ in 0..<100 {
                    let value = counter.value
                    counter.value = value + 1
                    try await Green.sleep(.zero)
                }
            }
        }
        try await Green.joinAll(tasks)
        #expect(await counter.value == 10_000)
    }

    @Test func joinAllGivesValuesErrorsAndNilForTheLate() async throws {
        let slow = Green.spawn { () -> Int in
            try await Green.sleep(.seconds(1_000))
            return 3
        }
        let results = try await Green.joinAll(
            [Green.spawn { 1 }, Green.spawn { throw Stop() }, slow], timeout: .milliseconds(30))
        #expect(try results[0]?.get() == 1)
        #expect(throws: Stop.self) { try results[1]?.get() }
        #expect(results[2] == nil)
        slow.kill()
        await #expect(throws: CancellationError.self) { try await slow.value }
    }

    @Test func aTaskKilledBeforeItBeginsNeverBegins() async throws {
        let transcript = Transcript()
        await Task { @GreenActor in
            let task = Green.spawn { transcript.add("begun") }
            task.kill()
            await #expect(throws: CancellationError.self) { try await task.value }
        }.value
        #expect(transcript.all == [])
    }

    @Test func queueHandsOverInOrderAndBlocksWhenFull() async throws {
        let transcript = Transcript()
        let queue = GreenQueue<Int>(capacity: 2)
        let taker = Green.spawn {
            for _ in 0..<5 { transcript.add("got \(try await queue.get())") }
        }
        let giver = Green.spawn {
            for number in 1...5 {
                try await queue.put(number)
                transcript.add("put \(number)")
            }
        }
        _ = try await (giver.value, taker.value)
        #expect(transcript.all.filter { $0.hasPrefix("got") } == (1...5).map { "got \($0)" })
        #expect(await queue.count == 0)
    }

    @Test func aKilledTakerLosesNothing() async throws {
        let queue = GreenQueue<Int>()
        try await Green.spawn {
            let first = Green.spawn { try await queue.get() }
            let second = Green.spawn { try await queue.get() }
            try await Green.sleep(.zero)
            try await queue.put(1)
            first.kill()
            try await queue.put(2)
            let results = try await Green.joinAll([first, second], timeout: .seconds(10))
            let taken = results.compactMap { try? $0?.get() }
            #expect(taken.count + queue.count == 2)
            #expect(results[1] != nil)
        }.value
    }

    @Test func eventLetsAllGo() async throws {
        let event = GreenEvent()
        let waiting = (0..<3).map { _ in Green.spawn { try await event.wait() } }
        #expect(try await event.wait(timeout: .milliseconds(5)) == false)
        await event.set()
        for result in try await Green.joinAll(waiting) { #expect(try result?.get() == true) }
        #expect(try await event.wait())
    }

    @Test func semaphoreAndPoolLimit() async throws {
        @GreenActor final class Gauge {
            var now = 0, most = 0
            let full = GreenEvent(), mayGo = GreenEvent()
            func run() async throws {
                now += 1
                most = max(most, now)
                if now == 3 { full.set() }
                try await mayGo.wait()
                now -= 1
            }
        }
        let gauge = Gauge()
        let pool = GreenPool(size: 3)
        let spawning = Green.spawn { for _ in 0..<12 { try await pool.spawn { try await gauge.run() } } }
        try await gauge.full.wait()
        // A fourth would come now.
        for _ in 0..<50 { try await Green.sleep(.zero) }
        await gauge.mayGo.set()
        try await spawning.value
        try await pool.join()
        #expect(await gauge.most == 3)
        #expect(await gauge.now == 0)
    }

    @Test func anythingOfAsyncUVGivesWay() async throws {
        let server = Green.spawn {
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            return listener
        }
        let listener = try await server.value
        let serving = Green.spawn {
            guard let connection = try await listener.accept() else { return 0 }
            var count = 0
            while let chunk = try await connection.read() {
                try await connection.write(chunk)
                count += chunk.count
            }
            return count
        }
        let client = Green.spawn {
            let connection = try await TCPConnection.connect(to: listener.localAddress)
            try await connection.write([1, 2, 3])
            let echo = try await connection.read(exactly: 3)
            try await connection.finishWriting()
            return echo
        }
        #expect(try await client.value == [1, 2, 3])
        #expect(try await serving.value == 3)
        await listener.close()
    }
}
