import AsyncUV
import Foundation
import Synchronization
import TestSupport
import Testing

/// Behaviour of the compiler and the runtime that the module builds on. Each was broken in some release of Swift: when
/// one of these fails after an update, look here before looking in the module.
@Suite(.ownThread) struct CompilerTests {
    @Test(
        "swift#85668: a continuation resumed before it suspends, on the loop and elsewhere, resumes once, on the loop")
    func continuationsResumedAtOnce() throws {
        try EventLoop.run { loop in
            for number in 0..<1_000 {
                let value = unsafe await withUnsafeContinuation { unsafe $0.resume(returning: number) }
                #expect(value == number && loop.isCurrent)
                let checked = await withCheckedContinuation { $0.resume(returning: number) }
                #expect(checked == number && loop.isCurrent)
            }
        }
    }

    @Test("swift#85668: a continuation resumed by another thread is enqueued once")
    func continuationsResumedElsewhere() throws {
        try EventLoop.run { loop in
            let before = try await loop.counters
            for number in 0..<200 {
                let value = await withCheckedContinuation { continuation in
                    Thread { continuation.resume(returning: number) }.start()
                }
                #expect(value == number && loop.isCurrent)
            }
            let after = try await loop.counters
            #expect(after.foreignJobs - before.foreignJobs <= 200)
            #expect(after.foreignJobs - before.foreignJobs > 0)
        }
    }

    @Test("swift#88157: after a resume from elsewhere, callers several frames up are on the loop too")
    func hopBackInAllFrames() throws {
        try EventLoop.run { loop in
            func inner() async -> Int {
                await withCheckedContinuation { continuation in
                    Thread { continuation.resume(returning: 1) }.start()
                }
            }
            func middle() async -> Int {
                let value = await inner()
                #expect(loop.isCurrent)
                return value
            }
            for _ in 0..<50 {
                #expect(await middle() == 1)
                #expect(loop.isCurrent)
            }
        }
    }

    @Test("swift#88157: an actor of the loop is on the loop after a continuation resumed elsewhere")
    func hopBackToActors() async throws {
        try await withOwnLoop { loop in
            let actor = Waiter(loop)
            for _ in 0..<50 { #expect(await actor.waitForAThread()) }
        }
    }

    @Test("swift#88993: a closure with an isolated parameter resumes on its actor")
    func isolatedParameters() async throws {
        try await withOwnLoop { loop in
            let actor = Waiter(loop)
            let body: @Sendable (isolated Waiter) async throws -> Bool = { actor in
                actor.preconditionIsolated()
                try await actor.loop.sleep(for: .milliseconds(1))
                actor.preconditionIsolated()
                await Task.yield()
                return actor.loop.isCurrent
            }
            for _ in 0..<20 { #expect(try await body(actor)) }
            try await loop.spawn {
                let isOnLoop = try await body(actor)
                #expect(isOnLoop)
                #expect(loop.isCurrent)
            }.value
        }
    }

    @Test(
        "swift#88993: a stored nonsending closure, awaited in a closure with an isolated parameter, stays on the actor")
    func storedNonsendingClosures() async throws {
        try await withOwnLoop { loop in
            let step = Step {
                await Task.yield()
                return true
            }
            let onLoopActor: @Sendable (isolated Waiter) async throws -> Bool = { actor in
                let value = try await step.body()
                actor.preconditionIsolated()
                return value && actor.loop.isCurrent
            }
            let onDefaultActor: @Sendable (isolated Plain) async throws -> Bool = { actor in
                let value = try await step.body()
                actor.preconditionIsolated()
                return value && !loop.isCurrent
            }
            let (waiter, plain) = (Waiter(loop), Plain())
            for _ in 0..<20 {
                #expect(try await onLoopActor(waiter))
                #expect(try await onDefaultActor(plain))
            }
            try await loop.spawn {
                for _ in 0..<20 {
                    #expect(try await onLoopActor(waiter))
                    let value = try await step.body()
                    #expect(value && loop.isCurrent)
                }
            }.value
        }
    }

    @Test("swift#74658: a default actor that a task on the loop calls runs where it may, and the task comes back")
    func defaultActors() async throws {
        try await withOwnLoop { loop in
            let plain = Plain()
            try await loop.spawn {
                for _ in 0..<100 {
                    await plain.check()
                    #expect(loop.isCurrent)
                }
            }.value
        }
    }

    @Test("swift#88993: a function with an isolated(any) or a #isolation parameter stays with its caller")
    func inheritedIsolation() async throws {
        try await withOwnLoop { loop in
            let actor = Waiter(loop)
            let isOnLoop = try await actor.callWithIsolation()
            #expect(isOnLoop)
        }
    }

    @Test("swift#71307, swift#74658: jobs of an actor see its executor, jobs of tasks see none")
    func runSynchronously() async throws {
        try await withOwnLoop { loop in
            let actor = Waiter(loop)
            await actor.checkExecutor()
            try await loop.spawn {
                // A task on the loop is not isolated to an actor, but the loop's thread is where its actors live.
                #expect(loop.serialExecutor.isIsolatingCurrentContext() == true)
                await actor.checkExecutor()
                unsafe withUnsafeCurrentTask { task in
                    #expect(unsafe task?.unownedTaskExecutor == loop.asUnownedTaskExecutor())
                }
            }.value
        }
    }

    @Test("Task {} does not inherit the preference, child tasks do")
    func inheritance() throws {
        try EventLoop.run { loop in
            #expect(await Task { loop.isCurrent }.value == false)
            async let child = loop.isCurrent
            #expect(await child)
            let inSpawned = try await loop.spawn { loop.isCurrent }.value
            #expect(inSpawned)
        }
    }

    @Test("Cancellation handlers run at once, also in a task that is cancelled already")
    func cancellationHandlers() throws {
        try EventLoop.run { loop in
            let calls = Shared(0)
            let task = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                await withTaskCancellationHandler {
                } onCancel: {
                    calls.change { $0 += 1 }
                }
            }
            task.cancel()
            try await task.value
            #expect(calls.value == 1)
        }
    }
}

/// Holds a closure that runs where its caller does.
private struct Step: Sendable {
    let body: nonisolated(nonsending) @Sendable () async throws -> Bool
}

private actor Plain {
    func check() async {
        preconditionIsolated()
        await Task.yield()
        preconditionIsolated()
    }
}

private actor Waiter {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe loop.serialExecutor.asUnownedSerialExecutor() }

    init(_ loop: EventLoop) { self.loop = loop }

    func waitForAThread() async -> Bool {
        await withCheckedContinuation { continuation in Thread { continuation.resume() }.start() }
        preconditionIsolated()
        return loop.isCurrent
    }

    func checkExecutor() {
        preconditionIsolated()
        #expect(loop.isCurrent)
    }

    func callWithIsolation() async throws -> Bool {
        try await Self.sleep(on: loop)
        preconditionIsolated()
        let isCurrent = await Self.call { self.loop.isCurrent }
        return isCurrent && loop.isCurrent
    }

    private static func sleep(on loop: EventLoop, isolation: isolated (any Actor)? = #isolation) async throws {
        try await loop.sleep(for: .milliseconds(1))
        isolation?.preconditionIsolated()
    }

    private static func call(_ body: @isolated(any) () -> Bool) async -> Bool { await body() }
}
