import TestSupport
import Testing
import UV

@Suite struct LoopMetricsTests {
    @Test("libuv's list of handles: all, and those that wait")
    func handleList() throws {
        try withLoop { loop in
            #expect(!loop.handleList().contains("timer"))
            let idle = try TimerHandle(on: loop)
            let running = try TimerHandle(on: loop)
            try running.start(after: .milliseconds(1)) { handle in
                handle.close()
                idle.close()
            }
            #expect(loop.handleList().split(separator: "\n").count { $0.contains("timer") } == 2)
            #expect(loop.handleList(onlyActive: true).split(separator: "\n").count { $0.contains("timer") } == 1)
        }
        try synchronously {
            let closed = try Loop()
            try closed.close()
            #expect(closed.handleList().isEmpty && closed.metrics == nil)
        }
    }

    @Test("Counters, where the libuv that runs has them")
    func metrics() throws {
        try withLoop { loop in
            try TimerHandle(on: loop).start(after: .milliseconds(1)) { handle in
                handle.close()
                if SystemInfo.libuvVersionNumber < 0x012D00 { return #expect(loop.metrics == nil) }
                #expect(loop.metrics.map { $0.turns > 0 && $0.events >= $0.waitingEvents } == true)
            }
        }
    }
}
