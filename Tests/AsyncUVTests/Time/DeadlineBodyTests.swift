import AsyncUV
import TestSupport
import Testing
import UVTesting

/// What the body of a deadline may use: everything that its caller may. Most of these are tests as soon as they compile.
@Suite(.ownThread) struct DeadlineBodyTests {
    private final class Counter {
        var count = 0
    }

    @Test func variablesOfTheCaller() throws {
        try EventLoop.run { loop in
            var sum = 0
            let counter = Counter()
            for number in 1...10_000 {
                try await withTimeout(.seconds(1_000)) {
                    sum += number
                    counter.count += 1
                    if number % 10 == 0 { try await loop.sleep(for: .zero) }
                    sum += number
                    counter.count += 1
                }
            }
            #expect(sum == 10_000 * 10_001 && counter.count == 20_000)
        }
    }

    private static func add(to numbers: inout [Int], _ counter: Counter) async throws -> Counter {
        try await withDeadline(.now + .seconds(1_000)) {
            numbers.append(numbers.count)
            await Task.yield()
            numbers.append(numbers.count)
            return counter
        }
    }

    @Test("Variables of a caller on the global pool, whose bodies change threads")
    func variablesElsewhere() async throws {
        try await withOwnLoop { loop in
            var sum = 0
            let counter = Counter()
            for number in 1...10_000 {
                try await withTimeout(.seconds(1_000), on: loop) {
                    sum += number
                    counter.count += 1
                    if number % 10 == 0 { await Task.yield() }
                    sum += number
                    counter.count += 1
                }
            }
            #expect(sum == 10_000 * 10_001 && counter.count == 20_000)
        }
    }

    @Test("A body may use an inout parameter and return what is not Sendable")
    func inoutParameters() throws {
        try EventLoop.run { _ in
            var numbers: [Int] = []
            let counter = Counter()
            for _ in 0..<100 {
                let same = try await Self.add(to: &numbers, counter)
                #expect(same === counter)
            }
            #expect(numbers == Array(0..<200))
        }
    }

    @Test func iteratorsOfTheCaller() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            let lines = near.lines().makeAsyncIterator()
            var ticks = loop.ticks(every: .milliseconds(1)).makeAsyncIterator()
            for number in 0..<10 {
                try await far.write("\(number)\n")
                let line = try await withTimeout(.seconds(1_000)) { try await lines.next() }
                let tick = try await withTimeout(.seconds(1_000)) { try await ticks.next() }
                #expect(line == "\(number)" && tick != nil)
            }
            await near.close()
            await far.close()
        }
    }

    private struct Player {
        private(set) var score = 0

        mutating func play() async throws {
            try await withTimeout(.seconds(1_000)) {
                score += 1
                await Task.yield()
                score += 1
            }
        }
    }

    @Test func mutatingMethods() throws {
        try EventLoop.run { _ in
            var player = Player()
            for _ in 0..<100 { try await player.play() }
            #expect(player.score == 200)
        }
    }

    /// An actor that waits inside itself.
    private actor Account {
        private(set) var balance = 0

        func deposit(_ count: Int, on loop: EventLoop) async throws {
            for _ in 0..<count {
                try await withTimeout(.seconds(1_000), on: loop) {
                    balance += 1
                    self.assertIsolated()
                    await Task.yield()
                    balance += 1
                    self.assertIsolated()
                }
            }
        }

        func waitTooLong(on loop: EventLoop) async throws {
            try await withTimeout(.milliseconds(1), on: loop) {
                balance += 1
                defer { balance += 1 }
                try await Task.sleep(for: .seconds(1_000))
            }
        }
    }

    private actor LoopAccount: LoopActor {
        let loop: EventLoop
        private(set) var balance = 0

        init(on loop: EventLoop) { self.loop = loop }

        func deposit(_ count: Int) async throws {
            for _ in 0..<count {
                try await withTimeout(.seconds(1_000)) {
                    balance += 1
                    try await loop.sleep(for: .zero)
                    #expect(loop.isCurrent)
                    balance += 1
                    self.assertIsolated()
                }
            }
        }
    }

    @Test("Actors: two tasks in each, on and off the loop")
    func stateOfActors() async throws {
        try await withOwnLoop { loop in
            let (account, onLoop) = (Account(), LoopAccount(on: loop))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask { try await account.deposit(2_500, on: loop) }
                    group.addTask { try await onLoop.deposit(1_000) }
                }
                for _ in 0..<2 {
                    group.addTask(executorPreference: loop) { try await account.deposit(2_500, on: loop) }
                }
                try await group.waitForAll()
            }
            await expectError(.timedOut) { try await account.waitTooLong(on: loop) }
            #expect(await account.balance == 20_002)
            #expect(await onLoop.balance == 4_000)
        }
    }

    @MainActor private static var visits = 0

    @Test @MainActor func theMainActor() async throws {
        try await withOwnLoop { loop in
            for _ in 0..<100 {
                try await withTimeout(.seconds(1_000), on: loop) {
                    Self.visits += 1
                    MainActor.assertIsolated()
                    try await loop.sleep(for: .milliseconds(0))
                    MainActor.assertIsolated()
                    Self.visits += 1
                }
            }
            await expectError(.timedOut) {
                try await withTimeout(.milliseconds(1), on: loop) {
                    Self.visits += 1
                    try await loop.sleep(for: .seconds(1_000))
                }
            }
        }
        #expect(Self.visits == 201)
    }

    @TaskLocal private static var name = ""

    @Test func taskLocalValuesAndExecutors() throws {
        try EventLoop.run { loop in
            try await Self.$name.withValue("caller") {
                try await withTimeout(.seconds(1_000)) {
                    #expect(Self.name == "caller" && loop.isCurrent)
                    await Task.yield()
                    #expect(Self.name == "caller" && loop.isCurrent)
                }
            }
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await withTimeout(.seconds(1_000), on: loop) {
                    #expect(!loop.isCurrent)
                    await Task.yield()
                    #expect(!loop.isCurrent)
                }
            }
        }
    }

    @Test("The body sees that its caller is cancelled already, on the loop and elsewhere")
    func cancelledBefore() async throws {
        try await withOwnLoop { loop in
            for preference in [loop, nil] as [(any TaskExecutor)?] {
                let task = Task(executorPreference: preference) {
                    while !Task.isCancelled { await Task.yield() }
                    return try await withTimeout(.seconds(1_000), on: loop) { Task.isCancelled }
                }
                task.cancel()
                let isCancelled = try await task.value
                #expect(isCancelled)
            }
        }
    }

    @Test("A body that computes off the loop sees its deadline and its caller's cancellation")
    func computingBodies() async throws {
        try await withOwnLoop { loop in
            func compute() throws { while true { try Task.checkCancellation() } }
            await expectError(.timedOut) { try await withTimeout(.milliseconds(2), on: loop) { try compute() } }
            let task = Task { try await withTimeout(.seconds(1_000), on: loop) { try compute() } }
            try await loop.waitUntilIdle(waits: 1)
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
        }
    }

    @Test("A thousand deadlines that come while their bodies end, on the loop and elsewhere, leave nothing behind")
    func races() async throws {
        try await withOwnLoop { loop in
            let (values, timeouts) = (Shared(0), Shared(0))
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<1_000 {
                    group.addTask(executorPreference: number % 2 == 0 ? loop : nil) {
                        do {
                            try await withTimeout(.microseconds(number), on: loop) {
                                if number % 3 == 0 {
                                    await Task.yield()
                                } else {
                                    try await loop.sleep(for: .microseconds(number))
                                }
                            }
                            values.change { $0 += 1 }
                        } catch {
                            #expect(code(of: error) == .timedOut)
                            timeouts.change { $0 += 1 }
                        }
                    }
                }
            }
            #expect(values.value + timeouts.value == 1_000)
            try await loop.waitUntilIdle(waits: 0)
        }
    }

    @Test("A loop that has ended refuses, and the body's own value is kept")
    func afterTheEndOfTheLoop() async throws {
        let loop = try EventLoop()
        await loop.shutdown()
        await expectError(.canceled) {
            try await withTimeout(.seconds(1_000), on: loop) { try await Task.sleep(for: .seconds(1_000)) }
        }
        #expect(try await withTimeout(.seconds(1_000), on: loop) { 7 } == 7)
        #expect(try await withTimeout(.seconds(1_000), on: loop) { Task.isCancelled })
    }

    @Test("The error of a nested deadline that ends with the outer one names what the inner body waits in")
    func namesOfNestedBodies() throws {
        try TestLoop.run { test in
            do {
                try await withTimeout(.milliseconds(2)) {
                    try await withTimeout(.seconds(1_000)) { try await test.loop.sleep(for: .seconds(1_000)) }
                }
            } catch { #expect("\(error)" == "timed out (ETIMEDOUT) in withTimeout(0.002 seconds) of sleep") }
        }
    }
}
