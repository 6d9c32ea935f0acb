import TestSupport
import Testing
import UV

/// Idle, prepare and check handles, and the order of a turn.
@Suite(.ownThread) struct TurnTests {
    @Test func aTurnIsTimersIdlePrepareCheckClose() throws {
        var log: [String] = []
        try withLoop { loop in
            let check = try CheckHandle(on: loop)
            let prepare = try PrepareHandle(on: loop)
            let idle = try IdleHandle(on: loop)
            let timer = try TimerHandle(on: loop)
            try check.start { check in
                log.append("check")
                check.close { _ in log.append("closed") }
            }
            try prepare.start { prepare in
                log.append("prepare")
                prepare.close()
            }
            try idle.start { idle in
                log.append("idle")
                idle.close()
            }
            try timer.start(after: .zero) { timer in
                log.append("timer")
                timer.close()
            }
        }
        #expect(log == ["timer", "idle", "prepare", "check", "closed"])
    }

    @Test func eachIsCalledOnceATurn() throws {
        var counts = [0, 0, 0]
        try withLoop { loop in
            let idle = try IdleHandle(on: loop)
            let prepare = try PrepareHandle(on: loop)
            let check = try CheckHandle(on: loop)
            try idle.start { _ in counts[0] += 1 }
            try prepare.start { _ in counts[1] += 1 }
            try check.start { _ in counts[2] += 1 }
            for turn in 1...5 {
                try loop.run(.noWait)
                #expect(counts == [turn, turn, turn])
            }
            idle.stop()
            prepare.stop()
            check.stop()
            idle.stop()
            prepare.stop()
            check.stop()
            #expect(!idle.isActive && !prepare.isActive && !check.isActive)
            try loop.run(.noWait)
            #expect(counts == [5, 5, 5])
            for handle in loop.handles { handle.close() }
        }
    }

    @Test func aSecondStartReplacesTheClosure() throws {
        var log: [String] = []
        try withLoop { loop in
            let idle = try IdleHandle(on: loop)
            let prepare = try PrepareHandle(on: loop)
            let check = try CheckHandle(on: loop)
            try idle.start { _ in log.append("old idle") }
            try idle.start { _ in log.append("idle") }
            try prepare.start { _ in log.append("old prepare") }
            try prepare.start { _ in log.append("prepare") }
            try check.start { _ in log.append("old check") }
            try check.start { _ in log.append("check") }
            try loop.run(.noWait)
            for handle in loop.handles { handle.close() }
        }
        #expect(log == ["idle", "prepare", "check"])
    }

    @Test func aClosureMayReplaceOrStopItself() throws {
        var log: [String] = []
        try withLoop { loop in
            let idle = try IdleHandle(on: loop)
            try idle.start { idle in
                log.append("first")
                try! idle.start { idle in
                    log.append("second")
                    idle.stop()
                }
            }
            try loop.run()
            idle.close()
        }
        #expect(log == ["first", "second"])
    }

    @Test func anIdleHandleKeepsTheLoopFromWaiting() throws {
        var turns = 0
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let idle = try IdleHandle(on: loop)
            try timer.start(after: .seconds(50)) { _ in Issue.record("fired") }
            try idle.start { idle in
                turns += 1
                guard turns == 100 else { return }
                idle.close()
                timer.close()
            }
        }
        #expect(turns == 100)
    }
}
