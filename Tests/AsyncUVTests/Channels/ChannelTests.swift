import AsyncUV
import TestSupport
import Testing

@Suite(.ownThread) struct ChannelTests {
    @Test(arguments: [0, 1, 7]) func elementsComeInOrder(capacity: Int) throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: capacity, on: loop)
            let sending = loop.spawn {
                for number in 0..<1_000 { try await channel.send(number) }
                channel.finish()
            }
            var numbers: [Int] = []
            for try await number in channel { numbers.append(number) }
            try await sending.value
            #expect(numbers == Array(0..<1_000))
            #expect(try await channel.next() == nil)
        }
    }

    @Test func aSenderWaitsWhenTheChannelIsFull() throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: 2, on: loop)
            #expect(try await channel.trySend(1))
            try await channel.send(2)
            #expect(try await channel.trySend(3) == false)
            let sent = Shared(0)
            let sending = loop.spawn {
                try await channel.send(4)
                sent.value = 4
            }
            try await loop.waitUntilIdle(waits: 1)
            #expect(sent.value == 0)
            #expect(try await channel.next() == 1)
            try await sending.value
            #expect(try await channel.next() == 2)
            #expect(try await channel.next() == 4)
        }
    }

    @Test func tasksThatWaitAreServedInTheirOrder() throws {
        try onLoop { loop in
            let channel = Channel<Int>(on: loop)
            let got = Shared<[Int: Int]>([:])
            let takers = try await inOrder(0..<5, on: loop) { taker in
                let number = try await channel.next()
                got.change { $0[taker] = number }
            }
            for number in 0..<5 { #expect(try await channel.trySend(number)) }
            for taker in takers { try await taker.value }
            #expect(got.value == [0: 0, 1: 1, 2: 2, 3: 3, 4: 4])
            let senders = try await inOrder(0..<5, on: loop) { try await channel.send($0) }
            // Nobody overtakes those who wait.
            #expect(try await channel.trySend(9) == false)
            for number in 0..<5 { #expect(try await channel.next() == number) }
            for sender in senders { try await sender.value }
        }
    }

    @Test func noElementIsLostWhenATakerIsCancelled() throws {
        try onLoop { loop in
            let channel = Channel<Int>(on: loop)
            let takers = try await inOrder(0..<3, on: loop) { _ in try await channel.next() }
            takers[0].cancel()
            #expect(await failure(of: takers[0]) is CancellationError)
            #expect(try await channel.trySend(1))
            // It has its element, whatever becomes of it.
            takers[1].cancel()
            #expect(try await takers[1].value == 1)
            #expect(try await channel.trySend(2))
            #expect(try await takers[2].value == 2)
            #expect(try await channel.trySend(3) == false)
        }
    }

    @Test func nobodyGetsTheElementOfACancelledSender() throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: 1, on: loop)
            let senders = try await inOrder(0..<4, on: loop) { try await channel.send($0) }
            senders[2].cancel()
            #expect(await failure(of: senders[2]) is CancellationError)
            var numbers: [Int?] = []
            for _ in 0..<3 { numbers.append(try await channel.next()) }
            #expect(numbers == [0, 1, 3])
            let late = loop.spawn {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await channel.send(5)
            }
            #expect(await failure(of: late) is CancellationError)
            await expectError(.timedOut) { _ = try await channel.next(timeout: .zero) }
        }
    }

    @Test func timeoutsNameTheChannelAndLoseNothing() throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: 1, label: "jobs", on: loop)
            var texts: [String] = []
            do { _ = try await channel.next(timeout: .milliseconds(1)) } catch { texts.append("\(error)") }
            try await channel.send(1, timeout: .zero)
            do { try await channel.send(2, timeout: .milliseconds(1)) } catch { texts.append("\(error)") }
            #expect(
                texts == [
                    "timed out (ETIMEDOUT) in next of channel \"jobs\"",
                    "timed out (ETIMEDOUT) in send of channel \"jobs\"",
                ])
            #expect(try await channel.next(timeout: .zero) == 1)
            await expectError(.timedOut) { _ = try await channel.next(timeout: .zero) }
        }
    }

    @Test func finishingEndsAllThatWait() throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: 1, label: "jobs", on: loop)
            let senders = try await inOrder(0..<3, on: loop) { try await channel.send($0) }
            channel.finish()
            channel.finish()
            try await senders[0].value
            for sender in senders[1...] { #expect(code(of: await failure(of: sender)) == .brokenPipe) }
            var text = ""
            do { try await channel.send(9) } catch { text = "\(error)" }
            #expect(text == "broken pipe (EPIPE) in send of channel \"jobs\", which is finished")
            await expectError(.brokenPipe) { _ = try await channel.trySend(9) }
            #expect(try await channel.next() == 0)
            #expect(try await channel.next() == nil)
            let other = Channel<Int>(on: loop)
            let takers = try await inOrder(0..<2, on: loop) { _ in try await other.next() }
            other.finish()
            for taker in takers { #expect(try await taker.value == nil) }
        }
    }

    @Test func aLoopThatEndsLeavesNobodyWaiting() async throws {
        let loop = try EventLoop()
        let (empty, full) = (Channel<Int>(on: loop), Channel<Int>(on: loop))
        let taking = loop.spawn { _ = try await empty.next() }
        let sending = loop.spawn { try await full.send(1) }
        let elsewhere = Task { _ = try await empty.next() }
        try await loop.waitUntilIdle(waits: 3)
        await loop.shutdown()
        for task in [taking, sending, elsewhere] {
            let error = await failure(of: task)
            #expect(code(of: error) == .canceled && "\(error!)".contains("a loop that has shut down"))
        }
        await expectError(.canceled) { try await full.send(1) }
        await expectError(.canceled) { _ = try await empty.trySend(1) }
        empty.finish()
    }

    @Test func manyTasksOfManyThreadsLoseNothing() async throws {
        try await withOwnLoop { loop in
            try await withOwnLoop { other in
                let channel = Channel<Int>(capacity: 3, on: loop)
                let sum = Shared((count: 0, sum: 0))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for taker in 0..<6 {
                        group.addTask(executorPreference: [loop, other, nil][taker % 3]) {
                            for try await number in channel {
                                sum.change {
                                    $0.count += 1
                                    $0.sum += number
                                }
                            }
                        }
                    }
                    try await withThrowingTaskGroup(of: Void.self) { senders in
                        for sender in 0..<6 {
                            senders.addTask(executorPreference: [loop, other, nil][sender % 3]) {
                                for number in 0..<200 { try await channel.send(sender * 200 + number) }
                            }
                        }
                        try await senders.waitForAll()
                    }
                    channel.finish()
                    try await group.waitForAll()
                }
                #expect(sum.value.count == 1_200 && sum.value.sum == 1_200 * 1_199 / 2)
            }
        }
    }

    @Test("Cancellation from other threads races with elements: each is delivered once")
    func cancellationRaces() async throws {
        try await withOwnLoop { loop in
            let channel = Channel<Int>(on: loop)
            let sending = loop.spawn {
                for number in 0..<1_000 { try await channel.send(number) }
                channel.finish()
            }
            var numbers: [Int] = []
            while true {
                let taking = loop.spawn { try await channel.next() }
                if numbers.count % 3 == 0 { taking.cancel() }
                do {
                    guard let number = try await taking.value else { break }
                    numbers.append(number)
                } catch is CancellationError {
                    guard let number = try await channel.next() else { break }
                    numbers.append(number)
                }
            }
            try await sending.value
            #expect(numbers == Array(0..<1_000))
        }
    }

    @Test func whatNobodyTakesIsDropped() throws {
        try onLoop { loop in
            let dropped = Shared(0)
            do {
                let channel = Channel<Marker>(capacity: 2, on: loop)
                try await channel.send(Marker(dropped))
                try await channel.send(Marker(dropped))
                _ = try await channel.next()
                #expect(dropped.value == 1)
            }
            #expect(dropped.value == 2)
        }
    }

    @Test func othersRunWhileElementsPass() throws {
        try onLoop { loop in
            let channel = Channel<Int>(capacity: 1 << 20, on: loop)
            let flag = Shared(false)
            let busy = loop.spawn {
                var count = 0
                while !flag.value {
                    try await channel.send(count)
                    _ = try await channel.next()
                    count += 1
                }
                return count
            }
            try await loop.sleep(for: .milliseconds(1))
            flag.value = true
            #expect(try await busy.value > 0)
        }
    }

    @Test func actorsOfTheLoopUseIt() throws {
        try onLoop { loop in
            let channel = Channel<Int>(on: loop)
            let adder = Adder(on: loop)
            let adding = Task { try await adder.addAll(of: channel) }
            for number in 1...100 { try await channel.send(number) }
            channel.finish()
            #expect(try await adding.value == 5_050)
        }
    }
}

/// Tells when nobody has it any more.
private final class Marker: Sendable {
    private let dropped: Shared<Int>

    init(_ dropped: Shared<Int>) { self.dropped = dropped }

    deinit { dropped.change { $0 += 1 } }
}

private actor Adder: LoopActor {
    let loop: EventLoop
    private var sum = 0

    init(on loop: EventLoop) { self.loop = loop }

    func addAll(of channel: Channel<Int>) async throws -> Int {
        for try await number in channel {
            preconditionIsolated()
            sum += number
        }
        return sum
    }
}

/// Starts a task for each number, of which each waits before the following one begins.
func inOrder<Value: Sendable>(
    _ numbers: Range<Int>, on loop: EventLoop, _ body: @escaping @Sendable (Int) async throws -> Value
) async throws -> [Task<Value, any Error>] {
    var tasks: [Task<Value, any Error>] = []
    for number in numbers {
        tasks.append(loop.spawn { try await body(number) })
        try await loop.waitUntilIdle()
    }
    return tasks
}
