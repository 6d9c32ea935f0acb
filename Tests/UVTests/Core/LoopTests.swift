import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct LoopTests {
    @Test func anEmptyLoopEndsAtOnce() throws {
        try withLoop { loop in
            #expect(!loop.isAlive)
            try #expect(!loop.run())
            try #expect(!loop.run(.once))
            try #expect(!loop.run(.noWait))
        }
    }

    @Test("A loop for which there are too few descriptors is an error, and leaves none behind", arguments: 0...4)
    func outOfDescriptors(free: Int) async {
        await #expect(processExitsWith: .success) { [free] in
            func openAndClose() throws(UVError) { try Loop().close() }
            // libuv's own, for the whole process.
            try openAndClose()
            let before = await countLastingDescriptors()
            limitDescriptors(to: lowestFreeDescriptor() + free)
            for _ in 0..<3 {
                do throws(UVError) {
                    try openAndClose()
                    if free < 4 { fatalError("\(free) were enough") }
                } catch { if error.code != .tooManyOpenFiles { fatalError("\(error)") } }
            }
            limitDescriptors(to: 1_000)
            // With a leak it waits for ever.
            while countDescriptors() > before { sched_yield() }
        }
    }

    @Test func runOnceWaitsForOneEvent() throws {
        try withLoop { loop in
            var calls = 0
            try TimerHandle(on: loop).start(after: .milliseconds(2), every: .milliseconds(2)) { timer in
                calls += 1
                if calls == 3 { timer.close() }
            }
            #expect(loop.isAlive)
            try #expect(loop.run(.once))
            // Two, when the first was due before the loop could wait.
            #expect((1...2).contains(calls))
        }
    }

    @Test func runNoWaitDoesNotWait() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(50)) { _ in Issue.record("fired") }
            try #expect(loop.run(.noWait))
            timer.close()
        }
    }

    @Test func stopEndsTheRunWhichMayGoOn() throws {
        var calls = 0
        try withLoop { loop in
            try TimerHandle(on: loop).start(after: .zero, every: .milliseconds(1)) { timer in
                calls += 1
                try! timer.loop.stop()
                if calls == 2 { timer.close() }
            }
            try #expect(loop.run())
            #expect(calls == 1)
        }
        #expect(calls == 2)
    }

    @Test func aRunAfterAStopMakesNoTurn() throws {
        try withLoop { loop in
            var turns = 0
            let idle = try IdleHandle(on: loop)
            try idle.start { idle in
                turns += 1
                idle.close()
            }
            try loop.stop()
            try #expect(loop.run())
            #expect(turns == 0)
            try loop.run()
            #expect(turns == 1)
        }
    }

    @Test func nowStandsStillDuringATurn() throws {
        try withLoop { loop in
            let before = loop.now
            spin(for: .milliseconds(3))
            #expect(loop.now == before)
            loop.updateTime()
            #expect(loop.now >= before + .milliseconds(2))
        }
    }

    @Test func hrtimeMovesOn() {
        let before = Loop.hrtime
        spin(for: .nanoseconds(1))
        #expect(Loop.hrtime > before)
    }

    @Test("K1: closing a loop names the handles that are open: kind, label, place, active or not")
    func closeListsHandles() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let socket = try TCPHandle(on: loop)
            timer.label = "heartbeat"
            try timer.start(after: .seconds(50)) { _ in }
            let error = try #require(throws: UVError.self) { try loop.close() }
            #expect(error.code == .resourceBusy)
            let text = error.description
            #expect(text.hasPrefix("resource busy or locked (EBUSY) in close of a loop with 2 open handles: "))
            #expect(text.contains(" 2 open handles: timer \"heartbeat\", due in "))
            #expect(text.contains(" (made at UVTests/LoopTests.swift:"))
            #expect(text.contains("; TCP socket, not active (made at UVTests/LoopTests.swift:"))
            #expect(loop.isAlive && timer.isActive, "nothing has changed")
            socket.close()
            timer.close()
            expectError(.resourceBusy) { try loop.close() }
            try loop.run()
            let last = try TimerHandle(on: loop)
            let one = try #require(throws: UVError.self) { try loop.close() }
            #expect(one.description.contains(" of a loop with 1 open handle: timer, not active (made at "))
            last.close()
        }
    }

    @Test("K1: a loop full of work closes: everything pending ends once, with canceled")
    func closeAllHandles() throws {
        var ends: [String] = []
        var closed = 0
        let pairs = 50
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { _, _ in Issue.record("accepted") }
            listener.label = "listener"
            for _ in 0..<pairs {
                let (near, far) = try TCPHandle.tcpPair(on: loop)
                _ = try near.read { _, result in
                    if case .success = result { Issue.record("\(result)") }
                    if case .failure(let error) = result { #expect(error.code == .canceled) }
                    ends.append("receive")
                }
                try far.startReading(onBytes: { _, _ in }, onEnd: { _, _ in Issue.record("ended") })
                far.stopReading()
                let outcome = try near.write([UInt8](repeating: 1, count: 8 << 20)) { _, error in
                    #expect(error?.code == .canceled)
                    ends.append("write")
                }
                #expect(outcome == .queued)
                try near.finishWriting { _, error in
                    #expect(error?.code == .canceled)
                    ends.append("shutdown")
                }
            }
            try TimerHandle(on: loop).start(after: .seconds(50)) { _ in }
            try SignalHandle(on: loop).start(.windowChange) { _, _ in }
            try loop.run(.noWait)
            expectError(.resourceBusy) { try loop.close() }
            for handle in loop.handles { handle.close { _ in closed += 1 } }
            try loop.closeAllHandles()
            try loop.run()
            #expect(loop.handles.isEmpty)
        }
        #expect(closed == 2 * pairs + 3)
        #expect(ends.count { $0 == "receive" } == pairs)
        #expect(ends.count { $0 == "write" } == pairs)
        #expect(ends.count { $0 == "shutdown" } == pairs)
    }

    @Test func handlesAreListedInTheOrderOfTheirCreationUntilTheyAreClosed() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let idle = try IdleHandle(on: loop)
            let listener = try TCPHandle.listening(on: loop) { _, _ in }
            #expect(loop.handles.map(\.kind.name) == ["timer", "idle", "tcp"], "not the listener's own parts")
            timer.close()
            #expect(loop.handles.count == 3 && loop.handles[0].isClosing)
            try loop.run(.noWait)
            #expect(loop.handles.map { $0 === idle || $0 === listener } == [true, true])
            try loop.closeAllHandles()
        }
    }

    @Test func aClosedLoopIsHarmless() throws {
        let loop = try Loop()
        try loop.close()
        try loop.close()
        expectError(.badFileDescriptor) { try loop.run() }
        expectError(.badFileDescriptor) { try TimerHandle(on: loop) }
        expectError(.badFileDescriptor) { try TCPHandle(on: loop) }
        expectError(.badFileDescriptor) { try TCPHandle.pair(on: loop) }
        expectError(.badFileDescriptor) { try WakeupHandle(on: loop) { _ in } }
        expectError(.badFileDescriptor) { try loop.configure(.metricsIdleTime) }
        #expect(!loop.isAlive && loop.handles.isEmpty)
        try loop.stop()
        try loop.closeAllHandles()
        loop.updateTime()
        _ = loop.now
        #expect(loop.idleTime == .zero)
        #expect(loop.backendTimeout == .zero)
        #expect(loop.backendFileDescriptor.rawValue == -1)
    }

    @Test func aRunningLoopCannotBeClosed() throws {
        try withLoop { loop in
            try TimerHandle(on: loop).start(after: .zero) { timer in
                expectError(.resourceBusy) { try timer.loop.close() }
                timer.close()
            }
        }
    }

    @Test func aLoopWithoutReferencesGoesAway() throws {
        weak var closed: Loop?
        weak var dropped: Loop?
        do {
            let loop = try Loop()
            try TimerHandle(on: loop).close()
            try loop.run()
            try loop.close()
            closed = loop
            let other = try Loop()
            dropped = other
        }
        #expect(closed == nil && dropped == nil)
    }

    @Test func currentIsTheLoopThatRuns() throws {
        final class Attachment {}
        #expect(Loop.current == nil)
        try withLoop { outer in
            #expect(Loop.current == nil)
            let attachment = Attachment()
            outer.attachment = attachment
            try TimerHandle(on: outer).start(after: .zero) { timer in
                #expect(Loop.current === outer && Loop.current?.attachment === attachment)
                try! withLoop { inner in
                    try TimerHandle(on: inner).start(after: .zero) { timer in
                        #expect(Loop.current === inner)
                        timer.close()
                    }
                }
                #expect(Loop.current === outer)
                timer.close()
            }
        }
        #expect(Loop.current == nil)
    }

    @Test func theDefaultLoopIsOneAndRuns() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let loop = try Loop.default
                try #expect(Loop.default === loop)
                var fired = 0
                try TimerHandle(on: loop).start(after: .zero) { timer in
                    fired += 1
                    timer.close()
                }
                try loop.run()
                try loop.close()
                #expect(fired == 1)
            }
        }
    }
}
