import Foundation
import Synchronization
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct WakeupTests {
    @Test func anotherThreadWakesTheLoop() throws {
        var calls = 0
        try withLoop { loop in
            let wakeup = try WakeupHandle(on: loop) { wakeup in
                calls += 1
                wakeup.close()
            }
            let waker = wakeup.waker
            Thread { #expect(waker.wake()) }.start()
        }
        #expect(calls == 1)
    }

    @Test("K4: eight threads wake 12,500 times each: a call comes after the last wake")
    func storm() throws {
        let sent = Atomic<Int>(0)
        var seen = 0
        try withLoop { loop in
            let wakeup = try WakeupHandle(on: loop) { wakeup in
                seen = sent.load(ordering: .acquiring)
                if seen == 100_000 { wakeup.close() }
            }
            let waker = wakeup.waker
            onThreads(8) {
                for _ in 0..<12_500 {
                    sent.add(1, ordering: .acquiringAndReleasing)
                    #expect(waker.wake())
                }
            } whileRunning: {
                try loop.run()
            }
        }
        #expect(seen == 100_000)
    }

    @Test("Guard: waking a closed loop neither aborts nor pretends")
    func afterClose() throws {
        let loop = try Loop()
        let wakeup = try WakeupHandle(on: loop) { _ in Issue.record("woken") }
        let waker = wakeup.waker
        #expect(waker.wake())
        wakeup.close()
        #expect(!waker.wake(), "closing")
        try loop.run()
        #expect(!waker.wake(), "closed")
        try loop.close()
        #expect(!waker.wake(), "the loop is closed")
    }

    @Test("Guard: a waker outlives its handle and its loop")
    func outlivesTheLoop() throws {
        weak var handle: WakeupHandle?
        func make() throws -> Waker {
            let loop = try Loop()
            let wakeup = try WakeupHandle(on: loop) { _ in }
            handle = wakeup
            wakeup.close()
            try loop.run()
            try loop.close()
            return wakeup.waker
        }
        let waker = try make()
        #expect(handle == nil)
        #expect(!waker.wake())
    }

    @Test("Guard: threads that wake while the handle closes")
    func racingTheClose() throws {
        for _ in 0..<50 {
            let refused = Atomic<Int>(0)
            let loop = try Loop()
            let wakeup = try WakeupHandle(on: loop) { _ in }
            let waker = wakeup.waker
            onThreads(4) {
                while waker.wake() {}
                refused.add(1, ordering: .relaxed)
            } whileRunning: {
                try loop.run(.once)
                wakeup.close()
                try loop.run()
                try loop.close()
            }
            #expect(refused.load(ordering: .relaxed) == 4)
        }
    }

    @Test func aWakeUpFromTheLoopItselfComesInALaterTurn() throws {
        var log: [String] = []
        try withLoop { loop in
            let wakeup = try WakeupHandle(on: loop) { wakeup in
                log.append("woken")
                wakeup.close()
            }
            try TimerHandle(on: loop).start(after: .zero) { timer in
                wakeup.waker.wake()
                log.append("timer ends")
                timer.close()
            }
        }
        #expect(log == ["timer ends", "woken"])
    }

    @Test func anUnwantedWakeupHandleDoesNotKeepTheLoop() throws {
        try withLoop { loop in
            let wakeup = try WakeupHandle(on: loop) { _ in }
            #expect(wakeup.isActive && wakeup.keepsLoopAlive)
            wakeup.keepsLoopAlive = false
            #expect(!loop.isAlive)
            try loop.run()
            wakeup.close()
        }
    }
}

/// Runs a closure on threads while another runs on this one; returns when all have ended.
func onThreads(
    _ count: Int, _ work: @escaping @Sendable () -> Void, whileRunning body: () throws -> Void = {}
) {
    let group = DispatchGroup()
    for _ in 0..<count {
        group.enter()
        Thread {
            work()
            group.leave()
        }.start()
    }
    do { try body() } catch { Issue.record(error) }
    group.wait()
}
