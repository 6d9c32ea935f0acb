import AsyncUV
import Coroutines
import Dispatch
import TestSupport
import Testing

@Suite(.inTurn) struct GreenTests {
    private struct Stop: Error, Equatable {}

    @Test func tasksInterleaveWhereTheyWait() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let event = GreenEvent()
            try await Green.joinAll([
                Green.spawn {
                    transcript.add("one begins")
                    try await event.wait()
                    transcript.add("one ends")
                },
                Green.spawn {
                    transcript.add("two begins")
                    try await Green.sleep(.zero)
                    transcript.add("two ends")
                    event.set()
                },
            ])
        }.value
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
        try await Green.spawn {
            let queue = GreenQueue<Int>(capacity: 2)
            let giver = Green.spawn {
                for number in 1...5 {
                    try await queue.put(number)
                    transcript.add("put \(number)")
                }
            }
            for _ in 0..<5 { try await Green.sleep(.zero) }
            transcript.add("full: \(queue.count)")
            for _ in 1...5 {
                transcript.add("got \(try await queue.get())")
                try await Green.sleep(.zero)
            }
            try await giver.value
            #expect(queue.count == 0)
        }.value
        #expect(
            transcript.all == [
                "put 1", "put 2", "full: 2", "got 1", "put 3", "got 2", "put 4", "got 3", "put 5", "got 4", "got 5",
            ])
    }

    // Who found an element or room got in between those who had been woken for it; these waited once more, at the end.
    @Test func queueServesWhoCameFirst() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let queue = GreenQueue<Int>(capacity: 1)
            let takers = (1...2).map { name in
                Green.spawn { transcript.add("\(name) got \(try await queue.get())") }
            }
            try await Green.sleep(.zero)
            let giver = Green.spawn { for number in 2...3 { try await queue.put(number) } }
            try await queue.put(1)
            transcript.add("last got \(try await queue.get())")
            try await Green.joinAll(takers + [giver])

            try await queue.put(0)
            let givers = (1...2).map { number in Green.spawn { try await queue.put(number) } }
            try await Green.sleep(.zero)
            let taker = Green.spawn { for _ in 1...3 { transcript.add("taken \(try await queue.get())") } }
            #expect(try await queue.get() == 0)
            try await queue.put(3)
            try await Green.joinAll(givers + [taker])
        }.value
        #expect(transcript.all == ["1 got 1", "2 got 2", "last got 3", "taken 1", "taken 2", "taken 3"])
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
        try await Green.spawn {
            let spawning = Green.spawn { for _ in 0..<12 { try await pool.spawn { try await gauge.run() } } }
            try await gauge.full.wait()
            // A fourth would come now.
            for _ in 0..<50 { try await Green.sleep(.zero) }
            gauge.mayGo.set()
            try await spawning.value
            try await pool.join()
            #expect(gauge.most == 3)
            #expect(gauge.now == 0)
        }.value
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

    @Test func aKilledTaskGetsNothingThatIsThere() async throws {
        try await Green.spawn {
            let queue = GreenQueue<Int>(), event = GreenEvent(), semaphore = GreenSemaphore(1)
            try await queue.put(1)
            event.set()
            let gate = GreenEvent()
            let wants: [@GreenActor () async throws -> Void] = [
                { _ = try await queue.get() }, { try await queue.put(2) }, { try await event.wait() },
                { try await semaphore.withPermit {} },
            ]
            let tasks = wants.map { want in
                Green.spawn {
                    // Goes on when it is killed, to what would not make it wait.
                    _ = try? await gate.wait()
                    try await want()
                }
            }
            for _ in 0..<3 { try await Green.sleep(.zero) }
            for task in tasks { task.kill() }
            for result in try await Green.joinAll(tasks) {
                #expect(throws: CancellationError.self) { try result?.get() }
            }
            #expect(queue.count == 1 && semaphore.available == 1)
        }.value
    }

    @Test func waitersForAnEndWakeInTheOrderOfComing() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let event = GreenEvent()
            let awaited = Green.spawn { () -> Int in
                try await event.wait()
                return 7
            }
            let waiting = (1...6).map { number in
                Green.spawn {
                    let value =
                        number.isMultiple(of: 2) ? try await awaited.value : try await awaited.join()?.get() ?? 0
                    transcript.add("\(number) \(value)")
                }
            }
            for _ in 0..<3 { try await Green.sleep(.zero) }
            event.set()
            try await Green.joinAll(waiting)
        }.value
        #expect(transcript.all == (1...6).map { "\($0) 7" })
    }

    @Test func killReachesATaskThatWaitsForASocket() async throws {
        try await Green.spawn {
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let client = try await TCPConnection.connect(to: listener.localAddress)
            let peer = try #require(try await listener.accept())
            let tasks: [GreenTask<Void>] = [
                Green.spawn { _ = try await client.read() },
                Green.spawn { _ = try await listener.accept() },
                Green.spawn { try await client.write([UInt8](repeating: 1, count: 64 << 20)) },
            ]
            for _ in 0..<10 { try await Green.sleep(.milliseconds(1)) }
            for task in tasks { task.kill() }
            for result in try await Green.joinAll(tasks) {
                #expect(throws: CancellationError.self) { try result?.get() }
            }
            await client.close()
            await peer.close()
            await listener.close()
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

    // MARK: The order of switches

    @Test func whoLetsItsTurnPassGoesToTheEnd() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let tasks = ["a", "b", "c"].map { name in
                Green.spawn {
                    for round in 1...3 {
                        transcript.add("\(name)\(round)")
                        try await Green.sleep(.zero)
                    }
                }
            }
            transcript.add("spawned")
            try await Green.joinAll(tasks)
        }.value
        #expect(transcript.all == ["spawned", "a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"])
    }

    @Test func anEventWakesInTheOrderOfComing() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let event = GreenEvent()
            let tasks = (1...3).map { number in
                Green.spawn {
                    try await event.wait()
                    transcript.add("woken \(number)")
                }
            }
            try await Green.sleep(.zero)
            let ready = Green.spawn { transcript.add("ready before") }
            event.set()
            transcript.add("set")
            try await Green.joinAll(tasks + [ready])
        }.value
        #expect(transcript.all == ["set", "ready before", "woken 1", "woken 2", "woken 3"])
    }

    @Test func aSemaphoreLetsInWhoCameFirst() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let semaphore = GreenSemaphore(1)
            let tasks = (1...3).map { number in
                Green.spawn {
                    for round in 1...2 {
                        try await semaphore.withPermit {
                            transcript.add("in \(number).\(round)")
                            try await Green.sleep(.zero)
                            transcript.add("out \(number).\(round)")
                        }
                    }
                }
            }
            try await Green.joinAll(tasks)
        }.value
        let turns = (1...2).flatMap { round in (1...3).map { "\($0).\(round)" } }
        #expect(transcript.all == turns.flatMap { ["in \($0)", "out \($0)"] })
    }

    @Test func aPoolSeatsWhoCameFirst() async throws {
        let transcript = Transcript()
        try await Green.spawn {
            let pool = GreenPool(size: 2)
            for number in 1...4 {
                try await pool.spawn {
                    transcript.add("begins \(number)")
                    try await Green.sleep(.zero)
                    transcript.add("ends \(number)")
                }
                transcript.add("spawned \(number)")
            }
            try await pool.join()
        }.value
        #expect(
            transcript.all == [
                "spawned 1", "spawned 2", "begins 1", "begins 2", "ends 1", "ends 2", "spawned 3", "spawned 4",
                "begins 3", "begins 4", "ends 3", "ends 4",
            ])
    }

    // MARK: Edges

    @Test func joiningAPoolWaitsForThoseSpawnedMeanwhile() async throws {
        try await Green.spawn {
            let pool = GreenPool(size: 1), event = GreenEvent()
            var hasRun = false
            try await pool.spawn { try await event.wait() }
            let next = Green.spawn {
                try await pool.spawn {
                    for _ in 0..<5 { try await Green.sleep(.zero) }
                    hasRun = true
                }
            }
            try await Green.sleep(.zero)
            event.set()
            try await pool.join()
            #expect(hasRun)
            try await next.value.value
        }.value
    }

    // Each of those that were late cost an alarm.
    @Test func manyThatAreLateDoNotHoldUpTheirJoin() async throws {
        try await Green.spawn {
            let late = (0..<5_000).map { _ in Green.spawn { try await Green.sleep(.seconds(1_000)) } }
            let early = Green.spawn {}
            let counted = Green.spawn {
                var turns = 0
                while !Task.isCancelled {
                    turns += 1
                    try? await Green.sleep(.zero)
                }
                return turns
            }
            let results = try await Green.joinAll([early] + late, timeout: .zero)
            counted.kill()
            #expect(results.count == 5_001)
            #expect(results[0] != nil)
            #expect(results.dropFirst().allSatisfy { $0 == nil })
            #expect(try await counted.value < 100)
            for task in late { task.kill() }
            try await Green.joinAll(late)
        }.value
    }

    @Test func killingOneThatWaitsForAValueLetsItWaitOn() async throws {
        try await Green.spawn {
            let event = GreenEvent()
            let slow = Green.spawn {
                try await event.wait()
                return 7
            }
            let waiting = Green.spawn { (try await slow.value, Task.isCancelled) }
            for _ in 0..<3 { try await Green.sleep(.zero) }
            waiting.kill()
            for _ in 0..<3 { try await Green.sleep(.zero) }
            event.set()
            #expect(try await waiting.value == (7, true))
        }.value
    }

    @Test func errorsGiveSeatsAndPermitsBack() async throws {
        try await Green.spawn {
            let semaphore = GreenSemaphore(1), pool = GreenPool(size: 1)
            for _ in 0..<3 {
                await #expect(throws: Stop.self) { try await semaphore.withPermit { throw Stop() } }
                let task = try await pool.spawn { throw Stop() }
                await #expect(throws: Stop.self) { try await task.value }
            }
            try await pool.join()
            #expect(semaphore.available == 1)
        }.value
    }

    @Test func aClearedEventMakesWaitAgain() async throws {
        try await Green.spawn {
            let event = GreenEvent()
            event.set()
            #expect(try await event.wait(timeout: .zero))
            event.clear()
            #expect(!event.isSet)
            #expect(try await event.wait(timeout: .zero) == false)
            let waiting = Green.spawn { try await event.wait() }
            try await Green.sleep(.zero)
            event.set()
            event.clear()
            #expect(try await waiting.value)
        }.value
    }

    @Test func whatBlocksElsewhereLetsTheOthersRun() async throws {
        try await Green.spawn {
            let mayEnd = DispatchSemaphore(value: 0)
            let blocking = Green.spawn {
                try await GreenActor.shared.loop.offload { mayEnd.wait() }
            }
            // It ends only if this one runs meanwhile.
            let other = Green.spawn {
                for _ in 0..<10 { try await Green.sleep(.zero) }
                mayEnd.signal()
            }
            for result in try await Green.joinAll([blocking, other]) { try result?.get() }
        }.value
    }

    @Test("Whoever prefers another loop waits for green tasks, however soon they end")
    func waitsFromAnotherLoop() async throws {
        let loop = try EventLoop()
        try await loop.spawn {
            for number in 0..<200 {
                #expect(try await Green.spawn { number }.value == number)
                let failing = Green.spawn { throw Stop() }
                await #expect(throws: Stop.self) { try await failing.value }
                let task = Green.spawn { number }
                #expect(try await task.join()?.get() == number)
                let tasks = (0..<3).map { index in Green.spawn { index } }
                #expect(try await Green.joinAll(tasks).map { try $0?.get() } == [0, 1, 2])

                let event = GreenEvent()
                Green.spawn { event.set() }
                #expect(try await event.wait())

                let pool = GreenPool(size: 1)
                let pooled = try await pool.spawn { number }
                try await pool.join()
                #expect(try await pooled.value == number)

                let queue = GreenQueue<Int>(capacity: 1)
                let taker = Green.spawn { try await queue.get() + queue.get() }
                try await queue.put(number)
                try await queue.put(1)
                #expect(try await taker.value == number + 1)

                let semaphore = GreenSemaphore(1)
                try await semaphore.acquire()
                Green.spawn { semaphore.release() }
                try await semaphore.acquire()
            }
        }.value
        await loop.shutdown()
    }

    @Test("A green task whose writes are all done at once gives way to the others")
    func writesThatNeverWait() async throws {
        try await Green.spawn {
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let connection = try await TCPConnection.connect(to: listener.localAddress)
            let turns = Transcript()
            let other = Green.spawn {
                while !Task.isCancelled {
                    turns.add(1)
                    try await Green.sleep(.zero)
                }
            }
            for _ in 0..<4_096 { try await connection.write([1]) }
            other.kill()
            _ = try? await other.value
            #expect(turns.all.count >= 4)
            await connection.close()
            await listener.close()
        }.value
    }
}
