import AsyncUV
import Foundation
import TestSupport
import Testing

/// Signals as a sequence. In child processes: signals are the whole process's.
///
/// What `raise` sends has been delivered when it returns. A signal to the process (`kill`) may come later, on another thread.
@Suite(.inTurn) struct SignalsTests {
    @Test("S1: a storm: at least one delivery after the last signal; equal ones are one")
    func storm() async throws {
        await #expect(processExitsWith: .success) {
            try await onThread {
                try EventLoop.run { loop in
                    let signals = try await Signals.watch(.user1)
                    let last = Shared(false)
                    Thread {
                        for _ in 0..<100_000 { kill(getpid(), SIGUSR1) }
                        last.value = true
                        kill(getpid(), SIGUSR1)
                    }.start()
                    let (near, far) = try await connectedPair()
                    var count = 0
                    for try await signal in signals {
                        if signal != .user1 { fatalError("signal \(signal)") }
                        count += 1
                        try await near.write([1])
                        guard try await far.read() == [1] else { fatalError("no echo") }
                        if last.value { break }
                    }
                    if count > 100_001 { fatalError("\(count) deliveries") }
                    // The last one may still be on its way; without the watch it would end the process.
                    exit(EXIT_SUCCESS)
                }
            }
        }
    }

    @Test func severalNumbers() async throws {
        await #expect(processExitsWith: .success) {
            try await onThread {
                try EventLoop.run { loop in
                    let signals = try await Signals.watch(.user1, .user2, .hangUp)
                    for signal: Signal in [.user2, .hangUp, .user1, .user2] {
                        raise(signal.rawValue)
                        guard try await signals.next() == signal else { fatalError("not \(signal)") }
                    }
                    // Before anybody waits: kept, one of each number.
                    for _ in 0..<10 { raise(SIGHUP) }
                    try await loop.waitUntilIdle()
                    guard try await signals.next() == .hangUp else { fatalError("lost") }
                    let waiting = loop.spawn { try await signals.next() }
                    try await loop.waitUntilIdle()
                    raise(SIGUSR1)
                    guard try await waiting.value == .user1 else { fatalError("delivered twice") }
                }
            }
        }
    }

    @Test("C1: a wait cancelled, and before; no signal is lost")
    func cancellation() async throws {
        await #expect(processExitsWith: .success) {
            try await onThread {
                try EventLoop.run { loop in
                    let signals = try await Signals.watch(.user1)
                    let waiting = loop.spawn { try await signals.next() }
                    try await loop.waitUntilIdle()
                    let before = loop.spawn {
                        while !Task.isCancelled { await Task.yield() }
                        return try await signals.next()
                    }
                    waiting.cancel()
                    before.cancel()
                    guard await failure(of: waiting) is CancellationError else { fatalError("waiting") }
                    guard await failure(of: before) is CancellationError else { fatalError("before") }
                    raise(SIGUSR1)
                    guard try await signals.next() == .user1 else { fatalError("lost") }
                }
            }
        }
    }

    @Test("With its last reference a watch ends: the signal has its own action again")
    func dropRestoresTheDefault() async throws {
        await #expect(processExitsWith: .signal(SIGUSR1)) {
            try await onThread {
                try EventLoop.run { loop in
                    do {
                        let signals = try await Signals.watch(.user1)
                        raise(SIGUSR1)
                        guard try await signals.next() == .user1 else { exit(1) }
                    }
                    try await loop.sleep(for: .milliseconds(1))
                    raise(SIGUSR1)
                    try await loop.sleep(for: .seconds(10))
                }
            }
        }
    }

    @Test("Dropped on another thread too")
    func dropElsewhere() async throws {
        await #expect(processExitsWith: .signal(SIGUSR1)) {
            let loop = try EventLoop()
            do { _ = try await Signals.watch(.user1, on: loop) }
            for _ in 0..<3 { try await loop.withLoop { _ in } }
            try await loop.sleep(for: .milliseconds(1))
            kill(getpid(), SIGUSR1)
            try await loop.sleep(for: .seconds(10))
        }
    }

    @Test("S1: numbers that are no signals, and those nobody may watch")
    func badNumbers() async throws {
        try await withOwnLoop { loop in
            await expectError(.invalidArgument) { try await Signals.watch(on: loop) }
            for number in [0, -1, 65, 1_000, SIGKILL, SIGSTOP].map(Signal.init(_:)) {
                await expectError(.invalidArgument) { try await Signals.watch(number, on: loop) }
                await expectError(.invalidArgument) {
                    try await Signals.watch(.urgent, number, on: loop)
                }
            }
        }
    }

    @Test func twoWatchesBothGetIt() async throws {
        await #expect(processExitsWith: .success) {
            let (first, second) = (try EventLoop(), try EventLoop())
            let one = try await Signals.watch(.user2, on: first)
            let two = try await Signals.watch(.user2, on: second)
            kill(getpid(), SIGUSR2)
            guard try await one.next() == .user2, try await two.next() == .user2 else { exit(1) }
            await first.shutdown()
            await second.shutdown()
        }
    }
}
