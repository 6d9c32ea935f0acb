import AsyncUV
import Foundation
import TestSupport
import Testing

/// Who runs where: actors on the loop, and the way back to the loop from everywhere else.
@Suite(.ownThread) struct ExecutorTests {
    @Test func anActorLivesOnTheLoop() async throws {
        try await withOwnLoop { loop in
            let actor = LoopCounter(loop)
            #expect(await actor.isOnLoop)
            let isStillOnLoop = try await actor.sleepAndReturn()
            #expect(isStillOnLoop)
            await actor.check()
            #expect(await actor.value == 1)
        }
    }

    @Test func isIsolatingCurrentContext() async throws {
        try await withOwnLoop { loop in
            let actor = LoopCounter(loop)
            #expect(loop.serialExecutor.isIsolatingCurrentContext() == false)
            #expect(loop.serialExecutor === loop.serialExecutor)
            try await loop.withLoop { _ in
                #expect(loop.serialExecutor.isIsolatingCurrentContext() == true)
                // Code of the callback layer enters the actor without a hop.
                actor.assumeIsolated { $0.increment() }
                actor.preconditionIsolated()
            }
            #expect(await actor.value == 1)
        }
    }

    @Test func assumeIsolatedOffTheLoopTraps() async throws {
        await #expect(processExitsWith: .failure) {
            enter(LoopCounter(try EventLoop()))
        }
    }

    @Test func checkIsolatedNamesTheRule() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try EventLoop().serialExecutor.checkIsolated()
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("code of an actor on an EventLoop runs off that loop"))
    }

    @Test func defaultActorsCalledFromTheLoopComeBack() throws {
        try EventLoop.run { loop in
            let ledger = Ledger()
            for number in 1...100 {
                #expect(await ledger.add(number) == true, "a default actor's code runs on the caller's loop")
                #expect(loop.isCurrent)
            }
            #expect(await ledger.sum == 5_050)
            #expect(loop.isCurrent)
        }
    }

    @Test func aDefaultActorSharedByTwoLoopsAndThePool() async throws {
        let ledger = Ledger()
        try await withOwnLoop { first in
            try await withOwnLoop { second in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for loop in [first, second] {
                        group.addTask(executorPreference: loop) {
                            for _ in 0..<1_000 {
                                _ = await ledger.add(1)
                                #expect(loop.isCurrent)
                            }
                        }
                    }
                    group.addTask { for _ in 0..<1_000 { _ = await ledger.add(1) } }
                    try await group.waitForAll()
                }
            }
        }
        #expect(await ledger.sum == 3_000)
    }

    @Test func aDefaultActorAwaitsAnOperationOfTheLoop() throws {
        try EventLoop.run { loop in
            let ledger = Ledger()
            let isOnLoop = try await ledger.sleep(on: loop)
            #expect(isOnLoop)
            #expect(loop.isCurrent)
        }
    }

    @Test func mainActorCodeCalledFromTheLoopComesBack() async throws {
        try await withOwnLoop { loop in
            try await loop.spawn {
                for number in 0..<100 {
                    #expect(await onMainActor(number) == number + 1)
                    #expect(loop.isCurrent)
                }
                try await sleepOnMainActor(loop)
                #expect(loop.isCurrent)
            }.value
        }
    }

    @Test func globalFunctionsAndDetachedTasksComeBack() throws {
        try EventLoop.run { loop in
            await concurrentWork()
            #expect(loop.isCurrent)
            await Task.detached { #expect(!loop.isCurrent) }.value
            #expect(loop.isCurrent)
            async let child = loop.isCurrent
            #expect(await child, "child tasks inherit the preference")
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 { group.addTask { loop.isCurrent } }
                for await isCurrent in group { #expect(isCurrent) }
            }
        }
    }

    @Test("Task.sleep and Task.yield (swift#74395) do not leave the loop for good")
    func sleepAndYieldOfTheLibrary() throws {
        try EventLoop.run { loop in
            for _ in 0..<50 {
                await Task.yield()
                #expect(loop.isCurrent)
            }
            try await Task.sleep(for: .milliseconds(1))
            #expect(loop.isCurrent)
            try await Task.sleep(nanoseconds: 1_000)
            #expect(loop.isCurrent)
            try await ContinuousClock().sleep(for: .milliseconds(1))
            #expect(loop.isCurrent)
            await #expect(throws: CancellationError.self) {
                let task = loop.spawn {
                    do { try await Task.sleep(for: .seconds(1_000)) } catch {
                        #expect(loop.isCurrent)
                        throw error
                    }
                }
                task.cancel()
                try await task.value
            }
        }
    }

    @Test func asyncStreamsFedFromOtherThreadsComeBack() throws {
        try EventLoop.run { loop in
            let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
            let thread = Thread {
                for number in 0..<1_000 { continuation.yield(number) }; continuation.finish()
            }
            thread.start()
            var next = 0
            for await number in stream {
                #expect(number == next && loop.isCurrent)
                next += 1
            }
            #expect(next == 1_000)
        }
    }

    @Test func aTaskMovesBetweenTwoLoops() async throws {
        try await withOwnLoop { first in
            try await withOwnLoop { second in
                try await first.spawn {
                    for _ in 0..<100 {
                        await withTaskExecutorPreference(second) {
                            #expect(second.isCurrent)
                        }
                        #expect(first.isCurrent)
                        try await second.sleep(for: .zero)
                        #expect(first.isCurrent, "an operation of another loop comes back")
                    }
                }.value
            }
        }
    }
}

private actor Ledger {
    private(set) var sum = 0

    /// Whether it runs on some loop.
    func add(_ number: Int) -> Bool {
        sum += number
        return EventLoop.current != nil
    }

    func sleep(on loop: EventLoop) async throws -> Bool {
        try await loop.sleep(for: .milliseconds(1))
        preconditionIsolated()
        return loop.isCurrent
    }
}

@MainActor private func onMainActor(_ number: Int) -> Int {
    MainActor.preconditionIsolated()
    return number + 1
}

@MainActor private func sleepOnMainActor(_ loop: EventLoop) async throws {
    try await loop.sleep(for: .milliseconds(1))
    MainActor.preconditionIsolated()
}

private func enter(_ actor: LoopCounter) { actor.assumeIsolated { $0.increment() } }

@concurrent private func concurrentWork() async { await Task.yield() }
