import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What other loops and executors need of a loop.
@Suite(.ownThread) struct LoopEmbeddingTests {
    @Test func aForeignLoopDrivesOursByItsDescriptor() throws {
        var fired = 0
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { near, _ in near.close() })
            try TimerHandle(on: loop).start(after: .milliseconds(3), every: .milliseconds(3)) { timer in
                fired += 1
                try! far.write([UInt8(fired)])
                guard fired == 3 else { return }
                timer.close()
                far.closeAfterWrites()
            }
            // libuv registers its watchers in the first turn.
            while try loop.run(.noWait) {
                let timeout = loop.backendTimeout.map { CInt($0 / .milliseconds(1)) } ?? -1
                var entry = pollfd(fd: loop.backendFileDescriptor.rawValue, events: Int16(POLLIN), revents: 0)
                unsafe #expect(poll(&entry, 1, timeout) >= 0)
            }
        }
        #expect(fired == 3 && received == [1, 2, 3])
    }

    @Test func backendTimeoutIsTheNextTimers() throws {
        try withLoop { loop in
            #expect(loop.backendTimeout == .zero, "nothing to wait for")
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(5_000)) { _ in }
            try loop.run(.noWait)
            let timeout = try #require(loop.backendTimeout)
            #expect(timeout > .seconds(4_000) && timeout == timer.timeLeft)
            let idle = try IdleHandle(on: loop)
            try idle.start { _ in }
            #expect(loop.backendTimeout == .zero)
            idle.close()
            try loop.run(.noWait)
            timer.stop()
            let wakeup = try WakeupHandle(on: loop) { _ in }
            try loop.run(.noWait)
            #expect(loop.backendTimeout == nil, "for ever")
            wakeup.close()
            timer.close()
        }
    }

    @Test func idleTimeCountsTheWaiting() throws {
        try withLoop { loop in
            #expect(loop.idleTime == .zero)
            try loop.configure(.metricsIdleTime)
            let start = Loop.hrtime
            // A busy machine may keep the thread until a timer is due: then the loop does not wait.
            while loop.idleTime < .milliseconds(5) {
                try TimerHandle(on: loop).start(after: .milliseconds(10)) { $0.close() }
                try loop.run()
            }
            #expect(loop.idleTime <= Loop.hrtime - start)
        }
    }

    @Test func onlyTheProfilersSignalCanBeBlocked() throws {
        try withLoop { loop in
            try loop.configure(.blockSignal(.profiling))
            let error = #expect(throws: UVError.self) { try loop.configure(.blockSignal(.interrupt)) }
            #expect(error?.description == "invalid argument (EINVAL) in configure of SIGINT")
            try TimerHandle(on: loop).start(after: .milliseconds(1)) { $0.close() }
        }
    }

    @Test func theHookRunsAfterEachCallback() throws {
        var log: [String] = []
        try withLoop { loop in
            loop.afterEachCallback = { log.append("hook") }
            for name in ["a", "b"] {
                try TimerHandle(on: loop).start(after: .zero) { timer in
                    timer.close { _ in log.append("\(name) closed") }
                    log.append(name)
                }
            }
            try loop.run()
            loop.afterEachCallback = nil
        }
        #expect(log == ["a", "hook", "b", "hook", "b closed", "hook", "a closed", "hook"])
    }

    @Test func theHookRunsAfterCallbacksOfRequestsToo() throws {
        var log: [String] = []
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                log.append("accept")
                try! connection.get().close()
                listener.close()
            }
            let client = try TCPHandle(on: loop)
            try client.connect(to: listener.localAddress) { client, _ in
                log.append("connect")
                try! client.finishWriting { client, _ in
                    log.append("shutdown")
                    client.close()
                }
            }
            loop.afterEachCallback = { if log.last != "hook" { log.append("hook") } }
            try loop.run()
            loop.afterEachCallback = nil
        }
        for (entry, next) in zip(log, log.dropFirst()) where entry != "hook" { #expect(next == "hook") }
        #expect(Set(log) == ["accept", "connect", "shutdown", "hook"])
    }

    @Test func theHookMayReplaceItself() throws {
        var log: [String] = []
        try withLoop { loop in
            loop.afterEachCallback = {
                log.append("first")
                loop.afterEachCallback = {
                    log.append("second")
                    loop.afterEachCallback = nil
                }
            }
            try TimerHandle(on: loop).start(after: .zero, every: .milliseconds(1)) { timer in
                log.append("timer")
                if log.count == 5 { timer.close() }
            }
        }
        #expect(log == ["timer", "first", "timer", "second", "timer"])
    }
}
