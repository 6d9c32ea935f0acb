import Foundation
import TestSupport
import Testing
import UV

/// One after the other: a signal goes to every watcher of the process.
@Suite(.ownThread, .serialized) struct SignalTests {
    @Test func aSignalIsACallOnTheLoop() throws {
        var calls: [Signal] = []
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            try watcher.start(.user1) { watcher, signal in
                calls.append(signal)
                if calls.count == 2 { watcher.close() } else { raise(SIGUSR1) }
            }
            #expect(watcher.isActive)
            raise(SIGUSR1)
            #expect(calls.isEmpty)
        }
        #expect(calls == [.user1, .user1])
    }

    @Test("A signal that the program inherited as blocked arrives") func blockedSignal() throws {
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        unsafe sigaddset(&blocked, SIGUSR1)
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, nil)
        var calls = 0
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            try watcher.start(.user1) { watcher, _ in
                calls += 1
                watcher.close()
            }
            raise(SIGUSR1)
            try loop.run(.noWait)
            #expect(calls == 1)
            watcher.close()
        }
    }

    @Test func severalWatchersAndLoopsGetIt() throws {
        var calls = 0
        try withLoop { outer in
            try withLoop { loop in
                for loop in [outer, loop, loop] {
                    try SignalHandle(on: loop).start(.user1) { watcher, _ in
                        calls += 1
                        watcher.close()
                    }
                }
                raise(SIGUSR1)
                try outer.run()
            }
        }
        #expect(calls == 3)
    }

    @Test("Once: one call; started again it is regular")
    func once() throws {
        var first = 0
        var second = 0
        var third = 0
        try withLoop { loop in
            let keeper = try SignalHandle(on: loop)
            let watcher = try SignalHandle(on: loop)
            // Without another watcher the second signal would have its default action.
            try keeper.start(.user1) { _, _ in }
            keeper.keepsLoopAlive = false
            try watcher.start(.user1, once: true) { watcher, _ in
                #expect(!watcher.isActive)
                first += 1
            }
            raise(SIGUSR1)
            try loop.run()
            raise(SIGUSR1)
            try loop.run(.noWait)
            #expect(first == 1)
            try watcher.start(.user1, once: true) { _, _ in second += 1 }
            raise(SIGUSR1)
            try loop.run()
            #expect(first == 1 && second == 1)
            try watcher.start(.user1) { watcher, _ in
                third += 1
                if third == 3 { watcher.close() } else { raise(SIGUSR1) }
            }
            raise(SIGUSR1)
            try loop.run()
            keeper.close()
        }
        #expect(first == 1 && second == 1 && third == 3)
    }

    @Test func onceMayStartItselfAgain() throws {
        var calls = 0
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            func watch() {
                try! watcher.start(.user1, once: true) { watcher, _ in
                    calls += 1
                    guard calls < 3 else { return watcher.close() }
                    watch()
                    raise(SIGUSR1)
                }
            }
            watch()
            raise(SIGUSR1)
        }
        #expect(calls == 3)
    }

    @Test func aStartReplacesSignalAndClosure() throws {
        var calls: [Signal] = []
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            try watcher.start(.user1) { _, _ in Issue.record("the old closure") }
            try watcher.start(.user2) { watcher, signal in
                calls.append(signal)
                watcher.close()
            }
            raise(SIGUSR2)
        }
        #expect(calls == [.user2])
    }

    @Test func signalsHaveTheSystemsNumbersAndNames() {
        #expect(
            Signal.terminate.rawValue == SIGTERM && Signal(SIGTERM) == .terminate
                && Signal(rawValue: SIGINT) == .interrupt)
        #expect("\(Signal.hangUp) \(Signal.windowChange) \(Signal(64))" == "SIGHUP SIGWINCH signal 64")
    }

    @Test func aStoppedWatcherIsNotCalled() throws {
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            try watcher.start(.user1) { _, _ in Issue.record("called") }
            raise(SIGUSR1)
            watcher.stop()
            watcher.stop()
            #expect(!watcher.isActive)
            try loop.run()
            watcher.close()
        }
    }

    @Test("S1: numbers that are no signal, KILL and STOP are errors", arguments: [0, -1, 65, 1_000, SIGKILL, SIGSTOP])
    func badNumbers(_ number: CInt) throws {
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            let error = #expect(throws: UVError.self) { try watcher.start(Signal(number)) { _, _ in } }
            #expect(error?.code == .invalidArgument && error?.subject == "a watch for \(Signal(number))")
            #expect(!watcher.isActive)
            watcher.close()
        }
    }

    @Test("A refused start leaves the earlier watch", arguments: [0, 65, SIGKILL])
    func refusedStart(_ number: CInt) throws {
        var calls = 0
        try withLoop { loop in
            let watcher = try SignalHandle(on: loop)
            try watcher.start(.user1) { watcher, signal in
                #expect(signal == .user1)
                calls += 1
                watcher.close()
            }
            #expect(throws: UVError.self) { try watcher.start(Signal(number)) { _, _ in Issue.record("called") } }
            #expect(watcher.isActive)
            raise(SIGUSR1)
        }
        #expect(calls == 1)
    }

    @Test("S1: 100,000 signals during echo traffic: a call comes after the last, and the echo goes on")
    func storm() throws {
        let count = 100_000
        var raised = 0
        var seen = 0
        var calls = 0
        var echoed = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try far.startReading(
                onBytes: { far, bytes in try! far.write(bytes) }, onEnd: { far, _ in far.close() })
            try near.startReading(
                onBytes: { near, bytes in
                    echoed += 1
                    try! near.write(bytes)
                }, onEnd: { _, _ in })
            let watcher = try SignalHandle(on: loop)
            let storm = try IdleHandle(on: loop)
            try watcher.start(.user1) { watcher, _ in
                calls += 1
                seen = raised
                guard seen == count else { return }
                watcher.close()
                near.close()
            }
            try storm.start { storm in
                for _ in 0..<1_000 {
                    raise(SIGUSR1)
                    raised += 1
                }
                if raised == count { storm.close() }
            }
            try near.write([1])
        }
        #expect(seen == count && calls > 0 && calls <= count && echoed > 5)
    }
}
