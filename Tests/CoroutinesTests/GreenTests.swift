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

    @Test func tasksThatYieldForEverDoNotStarveAnEcho() async throws {
        let yielding = (0..<20).map { _ in Green.spawn { while true { try await Green.sleep(.zero) } } }
        #expect(try await Green.spawn { try await Echo.roundTrips(50) }.value == 50)
        for task in yielding { task.kill() }
        for result in try await Green.joinAll(yielding) {
            #expect(throws: CancellationError.self) { try result?.get() }
        }
    }

    @Test func killReachesEachWait() async throws {
        try await Green.spawn {
            let full = GreenQueue<Int>(capacity: 1)
            try await full.put(0)
            let empty = GreenQueue<Int>(), event = GreenEvent(), semaphore = GreenSemaphore(0)
            let pool = GreenPool(size: 1)
            let seated = try await pool.spawn { try await Green.sleep(.seconds(1_000)) }
            let waiting: [GreenTask<Void>] = [
                Green.spawn { try await Green.sleep(.seconds(1_000)) },
                Green.spawn { _ = try await empty.get() },
                Green.spawn { try await full.put(1) },
                Green.spawn { try await event.wait() },
                Green.spawn { try await event.wait(timeout: .seconds(1_000)) },
                Green.spawn { try await semaphore.acquire() },
                Green.spawn { try await pool.spawn {} },
                Green.spawn { try await pool.join() },
                Green.spawn { _ = try await seated.join() },
                Green.spawn { try await Green.joinAll([seated]) },
            ]
            for _ in 0..<3 { try await Green.sleep(.zero) }
            for task in waiting { task.kill() }
            for result in try await Green.joinAll(waiting) {
                #expect(throws: CancellationError.self) { try result?.get() }
            }
            #expect(full.count == 1 && empty.count == 0 && semaphore.available == 0)
            seated.kill()
            try await pool.join()
        }.value
    }

    @Test func aPlaceGivenToOneThatIsKilledIsNotLost() async throws {
        try await Green.spawn {
            let semaphore = GreenSemaphore(1)
            try await semaphore.acquire()
            let next = Green.spawn { try await semaphore.withPermit {} }
            for _ in 0..<3 { try await Green.sleep(.zero) }
            semaphore.release()
            next.kill()
            _ = try await next.join()
            #expect(semaphore.available == 1)
        }.value
    }

    @Test func aPoolsTaskThatIsKilledBeforeItBeginsGivesItsSeatBack() async throws {
        try await Green.spawn {
            let pool = GreenPool(size: 1)
            for _ in 0..<3 { try await pool.spawn { try await Green.sleep(.seconds(1_000)) }.kill() }
            try await pool.join()
        }.value
    }

    @Test func aCrowdThatGivesUpTakesNoSquare() async throws {
        try await Green.spawn {
            let event = GreenEvent()
            let waiting = (0..<20_000).map { _ in Green.spawn { try await event.wait() } }
            for _ in 0..<3 { try await Green.sleep(.zero) }
            for task in waiting.dropLast() { task.kill() }
            try await Green.joinAll(Array(waiting.dropLast()))
            event.set()
            #expect(try await waiting.last?.value == true)
        }.value
    }

    @Test func forgottenTasksGoOn() async throws {
        let event = GreenEvent()
        Green.spawn {
            try await Green.sleep(.milliseconds(1))
            event.set()
        }
        #expect(try await event.wait(timeout: .seconds(60)))
    }

    @Test func nothingIsLeftOfTasksAndWhatTheyWaitFor() async throws {
        final class Witness: Sendable {}
        weak var witness: Witness?
        weak var queue: GreenQueue<Int>?
        do {
            let (held, empty) = (Witness(), GreenQueue<Int>())
            (witness, queue) = (held, empty)
            let tasks = [
                Green.spawn { withExtendedLifetime(held) {} },
                Green.spawn {
                    _ = try await empty.get()
                    withExtendedLifetime(held) {}
                },
            ]
            try await Green.sleep(.milliseconds(1))
            tasks[1].kill()
            try await Green.joinAll(tasks)
        }
        // The runtime lets go of a task's closure after whoever waits for the task has been told.
        while witness != nil || queue != nil { try await Green.sleep(.milliseconds(1)) }
    }

    // Bytes that came between the start of a read and its wait were lost, when the queue of jobs was long.
    @Test func anEchoBesideACrowdLosesNothing() async throws {
        let event = GreenEvent()
        let crowd = (0..<10_000).map { _ in Green.spawn { try await event.wait() } }
        let echo = Green.spawn { try await Echo.roundTrips(20) }
        try await Green.sleep(.zero)
        for task in crowd { task.kill() }
        #expect(try await echo.value == 20)
        try await Green.joinAll(crowd)
    }
}
