import AsyncUV
import Readiness
import TestSupport
import Testing
import UV
import UVEmbedding

/// The neutral core: descriptor, timeout, turn, and what becomes of them.
@Suite(.ownThread) struct LoopDriverTests {
    @Test func theTimeoutTellsWhenTheDescriptorMayBeTrusted() throws {
        try withDriver { loop, driver in
            #expect(driver.timeout == .zero, "libuv registers its watchers in the first turn")
            driver.turn()
            #expect(driver.timeout == nil && !driver.isAlive, "nothing to wait for, but what others may send")
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(5_000)) { _ in }
            let timeout = try #require(driver.timeout)
            #expect(timeout > .seconds(4_000) && timeout <= .milliseconds(5_000_001) && driver.isAlive)
            let (near, far) = try TCPHandle.pair(on: loop)
            try near.startReading(onBytes: { _, _ in }, onEnd: { near, _ in near.close() })
            #expect(driver.timeout == .zero, "a new watcher")
            driver.turn()
            #expect(try #require(driver.timeout) > .seconds(4_000))
            timer.close()
            #expect(driver.timeout == .zero, "a handle is closing")
            far.close()
            try runDry(driver, in: EpollPoller())
        }
    }

    @Test func aLoopThatIsNotAliveStillServesWhatIsThere() throws {
        try withDriver { loop, driver in
            var wakes = 0
            let wakeup = try WakeupHandle(on: loop) { _ in wakes += 1 }
            wakeup.keepsLoopAlive = false
            var poller = try EpollPoller()
            try poller.add(driver)
            var events: [ReadyEvent] = []
            if try poller.wait(driving: driver, into: &events) { driver.turn() }
            #expect(!driver.isAlive)
            wakeup.waker.wake()
            var waits = 0
            // Without a handle that keeps the loop alive libuv makes no turn, and the descriptor stays readable for
            // ever.
            while driver.timeout == .zero || wakes == 0 {
                if try poller.wait(driving: driver, into: &events) { driver.turn() }
                waits += 1
            }
            #expect(wakes == 1 && waits < 5)
            #expect(try poller.wait(upTo: .zero).isEmpty, "the descriptor is not readable any more")
            wakeup.close()
            while driver.isAlive { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
            try poller.remove(driver)
        }
    }

    @Test func whatStartsOutsideOfATurnIsDueInTime() throws {
        try withDriver { loop, driver in
            var poller = try PollPoller()
            try poller.add(driver)
            var events: [ReadyEvent] = []
            driver.turn()
            var fired = false
            // As a callback of the foreign loop would.
            try TimerHandle(on: loop).start(after: .milliseconds(30)) { timer in
                fired = true
                timer.close()
            }
            let start = Loop.hrtime
            var waits = 0
            while !fired {
                if try poller.wait(driving: driver, into: &events) { driver.turn() }
                waits += 1
            }
            #expect(Loop.hrtime - start >= .milliseconds(30) && waits <= 5)
            try poller.remove(driver)
        }
    }

    @Test func theWakerMakesTheDescriptorReadable() throws {
        try withDriver { _, driver in
            var poller = try EpollPoller()
            try poller.add(driver)
            driver.turn()
            #expect(try poller.wait(upTo: .zero).isEmpty)
            let waker = driver.waker
            #expect(try PlainThread { waker.wake() }.value())
            #expect(try poller.wait(upTo: .seconds(60)).map(\.descriptor) == [driver.descriptor.rawValue])
            driver.turn()
            #expect(try poller.wait(upTo: .zero).isEmpty)
            try poller.remove(driver)
        }
    }

    @Test func aTurnWithinATurnDoesNothing() throws {
        try withDriver { loop, driver in
            var poller = try EpollPoller()
            try poller.add(driver)
            var log: [String] = []
            try TimerHandle(on: loop).start(after: .zero) { timer in
                log.append("dialog")
                timer.close()
                driver.waker.wake()
                // The closure runs the foreign loop, as a modal dialog does: it is not busy with this loop's
                // descriptor.
                #expect(driver.isTurning && driver.timeout == nil)
                driver.turn()
                var events: [ReadyEvent] = []
                let start = Loop.hrtime
                #expect(try! !poller.wait(upTo: .milliseconds(20), driving: driver, into: &events))
                #expect(events.isEmpty && Loop.hrtime - start >= .milliseconds(20))
                log.append("closed")
            }
            try TimerHandle(on: loop).start(after: .zero) { timer in
                log.append("other")
                timer.close()
            }
            var events: [ReadyEvent] = []
            while driver.isAlive { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
            #expect(log == ["dialog", "closed", "other"])
            try poller.remove(driver)
        }
    }

    @Test func onlyTheDriverRunsTheLoop() throws {
        try withDriver { loop, driver in
            let run = #expect(throws: UVError.self) { try loop.run() }
            #expect(
                run?.description == "resource busy or locked (EBUSY) in run of a loop that a foreign loop drives: "
                    + "close its LoopDriver first")
            expectError(.resourceBusy) { try loop.close() }
            expectError(.resourceBusy, "a second driver") { try LoopDriver(loop) }
            try driver.attach(to: "a poller")
            let second = #expect(throws: UVError.self) { try driver.attach(to: "GLib") }
            #expect(
                second?.description
                    == "resource busy or locked (EBUSY) in attach of a loop that a poller drives, to GLib: "
                    + "detach it there first")
            try withLoop { outer in expectError(.resourceBusy) { try NestedLoopAdapter(driver, in: outer) } }
            driver.detach()
            try driver.attach(to: "GLib")
        }
    }

    @Test func loopsThatCannotBeDriven() throws {
        let closed = try Loop()
        try closed.close()
        expectError(.badFileDescriptor) { try LoopDriver(closed) }
        try withLoop { loop in
            try TimerHandle(on: loop).start(after: .zero) { timer in
                expectError(.resourceBusy, "while it runs") { try LoopDriver(loop) }
                timer.close()
            }
        }
        try withLoop { loop in
            let driver = try LoopDriver(loop)
            expectError(.invalidArgument, "itself") { try NestedLoopAdapter(driver, in: loop) }
            driver.close()
        }
        let error = try EventLoop.run { loop in
            try await loop.withLoop { loop in UVError.Code(in: { _ = try LoopDriver(loop) }) }
        }
        #expect(error == .resourceBusy || error == .notPermitted)
    }

    @Test(arguments: [true, false]) func stopEndsTheDriving(_ isInTurn: Bool) throws {
        let loop = try Loop()
        let driver = try LoopDriver(loop)
        var ends = 0
        var timer: TimerHandle?
        driver.onEnd = { error in
            ends += 1
            #expect(error == nil && driver.hasEnded)
            // The loop is its owner's again.
            timer?.close()
            try! loop.run()
        }
        timer = try TimerHandle(on: loop)
        try timer?.start(after: .zero, every: .milliseconds(1)) { _ in if isInTurn { try! loop.stop() } }
        if !isInTurn { try loop.stop() }
        try run(driver, in: EpollPoller())
        #expect(ends == 1 && driver.timeout == nil && !driver.isAlive)
        driver.turn()
        driver.close()
        #expect(ends == 1)
        expectError(.badFileDescriptor) { try driver.attach(to: "another") }
        try loop.close()
    }

    @Test func aClosedDriverGivesTheLoopBack() throws {
        let loop = try Loop()
        var ticks = 0
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .zero, every: .milliseconds(1)) { timer in
            ticks += 1
            if ticks == 6 { timer.close() }
        }
        for limit in [2, 4] {
            let driver = try LoopDriver(loop)
            driver.onEnd = { _ in Issue.record("nobody has stopped the loop") }
            var poller = try EpollPoller()
            try poller.add(driver)
            var events: [ReadyEvent] = []
            while ticks < limit { if try poller.wait(driving: driver, into: &events) { driver.turn() } }
            try poller.remove(driver)
            driver.close()
            driver.close()
        }
        try loop.run()
        #expect(ticks == 6)
        try loop.close()
    }

    @Test func aDroppedDriverGivesTheLoopBackToo() throws {
        let loop = try Loop()
        _ = try LoopDriver(loop)
        try loop.close()
    }

    @Test func closingTheLoopsHandlesDoesNotEndTheDriving() throws {
        try withDriver { loop, driver in
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(100)) { _ in }
            #expect(loop.handles.count == 1, "none of the driver's own")
            try loop.closeAllHandles()
            try runDry(driver, in: EpollPoller())
            var fired = false
            try TimerHandle(on: loop).start(after: .zero) { timer in
                fired = true
                timer.close()
            }
            try runDry(driver, in: EpollPoller())
            #expect(fired)
        }
    }
}

extension UVError.Code {
    /// The code of what a body throws.
    fileprivate init?(in body: () throws -> Void) {
        do { try body() } catch {
            guard let error = error as? UVError else { return nil }
            self = error.code
            return
        }
        return nil
    }
}
