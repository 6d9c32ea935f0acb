import AsyncUV
import Foundation
import TestSupport
import Testing
import UV
import UVEmbedding

/// A loop that moves from thread to thread with its queue.
@Suite(.ownThread) struct DispatchLoopAdapterTests {
    @Test func aLoopMovesWithItsQueue() throws {
        let queue = DispatchQueue(label: "moving")
        let adapter = try DispatchLoopAdapter(LoopDriver(Loop()), on: queue)
        let threads = Shared<Set<UInt>>([])
        let fired = DispatchSemaphore(value: 0)
        for _ in 0..<20 {
            // `sync` runs its block on the thread that calls it, the timer fires on a thread of Dispatch.
            try queue.sync {
                try adapter.withLoop { loop in
                    threads.change { _ = $0.insert(pthread_self()) }
                    _ = try loop.schedule(after: .milliseconds(1)) {
                        threads.change { _ = $0.insert(pthread_self()) }
                        fired.signal()
                    }
                }
            }
            fired.wait()
        }
        #expect(threads.value.count >= 2)
        adapter.detach()
        queue.sync {}
    }

    @Test func codeOnTheQueueUsesTheLoop() throws {
        let queue = DispatchQueue(label: "owner")
        let adapter = try DispatchLoopAdapter(LoopDriver(Loop()), on: queue)
        let fired = DispatchSemaphore(value: 0)
        try queue.sync {
            let timer = try adapter.withLoop { loop in
                let timer = try TimerHandle(on: loop)
                // A timer that starts outside of a turn is due in time.
                try timer.start(after: .milliseconds(20)) { timer in
                    timer.close()
                    fired.signal()
                }
                return timer
            }
            #expect(try adapter.withLoop { _ in timer.isActive })
        }
        fired.wait()
        let error = #expect(throws: UVError.self) { try adapter.withLoop { _ in } }
        #expect(
            error?.description
                == "operation not permitted (EPERM) in withLoop of a loop that dispatch queue owner drives: "
                + "use async there")
        adapter.detach()
        adapter.detach()
        queue.sync { expectError(.notPermitted, "detached") { try adapter.withLoop { _ in } } }
    }

    @Test func codeInAClosureOfTheLoopUsesItToo() throws {
        let queue = DispatchQueue(label: "nested")
        let adapter = try DispatchLoopAdapter(LoopDriver(Loop()), on: queue)
        let done = DispatchSemaphore(value: 0)
        adapter.async { loop in
            _ = try! loop.schedule(after: .zero) {
                _ = try! adapter.withLoop { loop in try loop.schedule(after: .milliseconds(1)) { done.signal() } }
            }
        }
        done.wait()
        adapter.detach()
        queue.sync {}
    }

    @Test func stopEndsTheAdapter() throws {
        let queue = DispatchQueue(label: "stopping")
        let driver = try LoopDriver(Loop())
        let done = DispatchSemaphore(value: 0)
        driver.onEnd = { _ in done.signal() }
        let adapter = try DispatchLoopAdapter(driver, on: queue)
        adapter.async { loop in try! loop.stop() }
        done.wait()
        queue.sync { expectError(.notPermitted, "the loop has ended") { try adapter.withLoop { _ in } } }
        adapter.async { _ in Issue.record("called after the end") }
        adapter.detach()
        queue.sync {}
    }

    @Test func anotherQueueAsTargetIsTheSameQueue() throws {
        let target = DispatchQueue(label: "target")
        let queue = DispatchQueue(label: "on top", target: target)
        let loop = try EventLoop.driven(by: queue)
        let done = DispatchSemaphore(value: 0)
        Task(executorPreference: loop) {
            for _ in 0..<10 { try await loop.sleep(for: .milliseconds(1)) }
            await loop.shutdown()
            done.signal()
        }
        done.wait()
    }

    @Test func manyLoopsOnManyQueues() throws {
        let done = DispatchSemaphore(value: 0)
        let loops = try (0..<20).map { try EventLoop.driven(by: DispatchQueue(label: "loop \($0)")) }
        for loop in loops {
            Task(executorPreference: loop) {
                for _ in 0..<20 { try await loop.sleep(for: .microseconds(700), tolerance: .zero) }
                #expect(loop.isCurrent)
                await loop.shutdown()
                done.signal()
            }
        }
        for _ in loops { done.wait() }
    }
}
