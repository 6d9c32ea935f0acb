@_exported public import AsyncTestSupport
import AsyncUV
import Dispatch
import EmbeddingChaos
import Readiness
import Synchronization
import TestSupport
import Testing
import UV
import UVEmbedding

/// Who drives a loop in a test.
enum Way: CaseIterable, Sendable {
    case epoll, poll, select, nested, queue
}

/// Runs async code on a loop that is driven in some way, shuts the loop down and returns the code's value. On a
/// thread that may block.
func drive<Value: Sendable>(
    by way: Way, _ body: @escaping @Sendable (EventLoop) async throws -> Value
) throws -> Value {
    if way == .queue { return try driveByQueue(body) }
    let driver = try EventLoopDriver(label: "\(way)")
    let loop = driver.eventLoop
    let outcome = Shared<Result<Value, any Error>?>(nil)
    loop.spawn {
        do { outcome.value = .success(try await body(loop)) } catch { outcome.value = .failure(error) }
        await loop.shutdown()
    }
    switch way {
    case .epoll: try run(driver, in: EpollPoller())
    case .poll: try run(driver, in: PollPoller())
    case .select: try run(driver, in: SelectPoller())
    case .nested, .queue:
        try withLoop { outer in
            // A driven EventLoop is alive until it ends, and so is the outer loop.
            _ = try NestedLoopAdapter(driver, in: outer)
        }
    }
    #expect(driver.hasEnded && driver.timeout == nil && !driver.isAttached)
    return try #require(outcome.value).get()
}

/// Waits and makes turns until the loop has ended.
func run(_ driver: LoopDriver, in poller: consuming some Poller & ~Copyable) throws {
    try poller.add(driver)
    var events: [ReadyEvent] = []
    while !driver.hasEnded { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
    try poller.remove(driver)
}

/// The same until nothing keeps the loop alive.
func runDry(_ driver: LoopDriver, in poller: consuming some Poller & ~Copyable) throws {
    try poller.add(driver)
    var events: [ReadyEvent] = []
    while driver.isAlive { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
    try poller.remove(driver)
}

private func driveByQueue<Value: Sendable>(
    _ body: @escaping @Sendable (EventLoop) async throws -> Value
) throws -> Value {
    let loop = try EventLoop.driven(by: DispatchQueue(label: "driver"), label: "queue")
    let outcome = Shared<Result<Value, any Error>?>(nil)
    let done = DispatchSemaphore(value: 0)
    Task(executorPreference: loop) {
        do { outcome.value = .success(try await body(loop)) } catch { outcome.value = .failure(error) }
        await loop.shutdown()
        done.signal()
    }
    done.wait()
    return try #require(outcome.value).get()
}

/// Gives a driver of a fresh loop to a body, then closes both; fails on what is left open.
func withDriver(_ body: (Loop, LoopDriver) throws -> Void) throws {
    let loop = try Loop()
    let driver = try LoopDriver(loop)
    try body(loop, driver)
    driver.close()
    try loop.run()
    try loop.close()
}
