import AsyncUV
import Dispatch
import Synchronization
import UV

/// Runs a loop on the main thread and lets its tasks hop to the main actor and back: tests cannot have that thread.
///
/// Prints one line for each thing that worked; a test reads them.
@main struct MainThreadProbe {
    static func main() throws {
        try EventLoop.run { loop in
            let before = loop.isCurrent
            let sum = await addOnMainActor(1, 2)
            print("main actor and back:", before && loop.isCurrent && sum == 3)
            print("child tasks:", await hopsOfManyChildren(1_000) == 1_000)
            print("main queue:", await valueFromMainQueue() == 42)
            print("main actor task:", await Task { @MainActor in EventLoop.current === loop }.value)
            print("sleep on the main actor:", try await sleepOnMainActor(loop))
            print("idle turns:", try await turnsOfAnIdleSecond(loop) < 5)
        }
        print("after the loop:", EventLoop.current == nil)
        print("again:", try EventLoop.run { _ in await addOnMainActor(3, 4) } == 7)
        try unservedMainActor()
        try callbackLayer()
        print("after a shutdown by others:", try EventLoop.run(mainActorAfterShutdown) == 9)
    }

    /// A loop of the callback layer with the adapter for the main queue, which does not keep it alive.
    static func callbackLayer() throws {
        let loop = try Loop()
        let mainQueue = try MainQueueHandle(on: loop)
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .seconds(100)) { _ in }
        nonisolated(unsafe) let found = timer
        Task { @MainActor in
            MainActor.preconditionIsolated()
            DispatchQueue.main.async { unsafe found.close() }
        }
        try loop.run()
        print("callback layer:", timer.isClosing)
        mainQueue.close()
        try loop.run()
        try loop.close()
    }

    /// The loop ends below a body that still needs the main actor.
    @Sendable static func mainActorAfterShutdown(_ loop: EventLoop) async throws -> Int {
        await loop.shutdown()
        return await addOnMainActor(4, 5)
    }

    @MainActor static func addOnMainActor(_ left: Int, _ right: Int) -> Int {
        MainActor.preconditionIsolated()
        return left + right
    }

    static let hasHopped = Atomic(false)

    /// Told not to serve the main actor, a loop leaves its work to whoever serves it next.
    static func unservedMainActor() throws {
        let hop = try EventLoop.run(servesMainActor: false) { loop in
            let hop = Task { @MainActor in hasHopped.store(true, ordering: .sequentiallyConsistent) }
            DispatchQueue.main.async { hasHopped.store(true, ordering: .sequentiallyConsistent) }
            for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
            print("not served:", !hasHopped.load(ordering: .sequentiallyConsistent) && loop.isCurrent)
            return hop
        }
        try EventLoop.run { _ in await hop.value }
        print("served later:", hasHopped.load(ordering: .sequentiallyConsistent))
    }

    static func hopsOfManyChildren(_ count: Int) async -> Int {
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<count { group.addTask { await addOnMainActor(0, 1) } }
            return await group.reduce(0, +)
        }
    }

    static func valueFromMainQueue() async -> Int {
        await withCheckedContinuation { continuation in DispatchQueue.main.async { continuation.resume(returning: 42) }
        }
    }

    /// An operation of the loop awaited by the main actor.
    @MainActor static func sleepOnMainActor(_ loop: EventLoop) async throws -> Bool {
        try await loop.sleep(for: .milliseconds(2))
        MainActor.preconditionIsolated()
        return loop.isCurrent
    }

    static func turnsOfAnIdleSecond(_ loop: EventLoop) async throws -> Int {
        let before = try await loop.counters.turns
        try await loop.sleep(for: .seconds(1))
        return try await loop.counters.turns - before
    }
}
