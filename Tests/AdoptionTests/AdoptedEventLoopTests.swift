import AsyncUV
import CHostLoop
import Foundation
import Synchronization
import TestSupport
import Testing

/// Async code on a C program's loop. The test's thread is the host's: it runs the loop.
@Suite(.ownThread) struct AdoptedEventLoopTests {
    /// Lets a body run in turns of a host's, then shuts the loop down; the host's `uv_run` has to return by itself.
    private func inHost(_ body: @escaping @Sendable (EventLoop) async throws -> Void) throws {
        let host = Host()
        let loop = unsafe try EventLoop(adopting: host.raw, label: "host")
        #expect(EventLoop.current === loop && loop.isCurrent)
        let failure = Mutex<(any Error)?>(nil)
        loop.spawn {
            do { try await body(loop) } catch { failure.withLock { $0 = error } }
            await loop.shutdown()
        }
        host.run()
        host.close()
        #expect(EventLoop.current == nil)
        if let error = failure.withLock({ $0 }) { throw error }
    }

    @Test("Tasks sleep, talk and read files there, on the host's thread")
    func work() throws {
        try inHost { loop in
            #expect(loop.isCurrent)
            let start = ContinuousClock.now
            try await loop.sleep(for: .milliseconds(5))
            #expect(.now - start >= .milliseconds(5) && loop.isCurrent)
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let connection = try await TCPConnection.connect(to: listener.localAddress)
            for round in 0..<10 {
                try await connection.write([UInt8](repeating: UInt8(round), count: 100))
                #expect(try await connection.read(exactly: 100) == [UInt8](repeating: UInt8(round), count: 100))
            }
            await connection.close()
            await listener.close()
            try await serving.value
            #expect(try await FileSystem.readFile("/proc/self/comm").count > 1)
            #expect(try await loop.offload { 42 } == 42)
            #expect(loop.isCurrent)
        }
    }

    @Test("Jobs of other threads arrive, and a loop that has nothing to do takes no turns")
    func otherThreads() throws {
        try inHost { loop in
            let sum = await withTaskGroup(of: Int.self) { group in
                for number in 0..<1_000 {
                    group.addTask { await Task.detached { (try? await loop.withLoop { _ in number }) ?? 0 }.value }
                }
                return await group.reduce(0, +)
            }
            #expect(sum == 499_500)
            let before = try await loop.counters.turns
            try await loop.sleep(for: .milliseconds(100))
            #expect(try await loop.counters.turns - before < 10)
        }
    }

    @Test("A task that a callback of the host's starts runs before the loop waits")
    func spawnedInACallback() throws {
        final class Story: Sendable {
            let calls = Atomic(0)
            func spawn() {
                EventLoop.current?.spawn {
                    await Task.yield()
                    self.calls.add(1, ordering: .relaxed)
                }
            }
        }
        let story = Story()
        let host = Host()
        let loop = unsafe try EventLoop(adopting: host.raw)
        let timer = unsafe chost_timer(
            host.raw, 1, 1, { unsafe Unmanaged<Story>.fromOpaque($0!).takeUnretainedValue().spawn() },
            Unmanaged.passUnretained(story).toOpaque())
        while unsafe chost_timer_calls(timer) < 5 { unsafe chost_run(host.raw, 1) }
        unsafe chost_close_timer(timer)
        loop.spawn { await loop.shutdown() }
        host.run()
        #expect(story.calls.load(ordering: .relaxed) == 5)
        host.close()
    }

    @Test("What waits when the loop is shut down ends with 'canceled', and goes on elsewhere; the host's timers go on")
    func shutdown() async throws {
        let host = Host()
        let theirs = unsafe chost_timer(host.raw, 1, 1, nil, nil)
        let (loop, tasks) = unsafe try begin(on: host.raw)
        for _ in 0..<3 { unsafe chost_run(host.raw, 1) }
        let ending = Task.detached { await loop.shutdown() }
        let calls = unsafe chost_timer_calls(theirs)
        let hasEnded = Atomic(false)
        let watcher = Task.detached {
            await ending.value
            hasEnded.store(true, ordering: .relaxed)
        }
        while unsafe !hasEnded.load(ordering: .relaxed) || chost_timer_calls(theirs) < calls + 3 {
            unsafe chost_run(host.raw, 1)
        }
        await watcher.value
        for task in tasks {
            do {
                try await task.value
                Issue.record("a wait has ended well")
            } catch { #expect((error as? UVError)?.code == .canceled, "\(error)") }
        }
        await #expect(throws: UVError.self) { try await loop.sleep(for: .seconds(1)) }
        unsafe chost_close_timer(theirs)
        host.run()
        host.close()
    }

    private func begin(on raw: UnsafeMutableRawPointer) throws -> (EventLoop, [Task<Void, any Error>]) {
        let loop = unsafe try EventLoop(adopting: raw)
        let tasks = [
            loop.spawn { try await loop.sleep(for: .seconds(100)) },
            loop.spawn { _ = try await TCPListener.bind(host: "127.0.0.1", port: 0).accept() },
            loop.spawn { for try await _ in try await Signals.watch(.user2, on: loop) {} },
            loop.spawn { try await loop.offload { while !Task.isCancelled { usleep(100) } } },
        ]
        return (loop, tasks)
    }

    @Test("A file that is read when the loop is shut down")
    func fileUnderWay() throws {
        try inHost { loop in
            let file = try await File.open("/dev/zero")
            for _ in 0..<10 { loop.spawn { _ = try? await file.read(upTo: 10_000_000, at: 0) } }
            try await loop.sleep(for: .milliseconds(1))
        }
    }

    @Test("A C callback on an EventLoop's loop resumes a task, with nothing else going on")
    func resumedByC() throws {
        try EventLoop.run(servesMainActor: false) { loop in
            for _ in 0..<3 {
                nonisolated(unsafe) var timer: UnsafeMutableRawPointer?
                await withCheckedContinuation { continuation in
                    let box = unsafe Unmanaged.passRetained(Box(continuation)).toOpaque()
                    unsafe try? Loop.current?.withUnsafeLoop { raw in
                        unsafe timer = chost_timer(
                            raw, 1, 0,
                            { unsafe Unmanaged<Box>.fromOpaque($0!).takeRetainedValue().continuation.resume() }, box)
                    }
                }
                #expect(loop.isCurrent)
                unsafe chost_close_timer(timer)
            }
        }
    }

    @Test(
        "C code that leaves a handle on an EventLoop's loop: its end says so, and does not wait for it",
        .disabled(if: isSanitized, "the loop is left behind as well, which is a leak"))
    func handleLeftBehind() {
        do {
            try EventLoop.run(servesMainActor: false) { loop in
                try await loop.withLoop { loop in
                    unsafe try loop.withUnsafeLoop { raw in unsafe _ = chost_timer(raw, 1, 1, nil, nil) }
                }
            }
            Issue.record("nothing was said")
        } catch { #expect("\(error)".contains("shutdown of a loop with 1 open handle of C code"), "\(error)") }
    }

    @Test(
        "The same on a thread of its own: the process goes on, and the one function of the program's is told",
        .soleDiagnostics,
        .disabled(if: isSanitized, "the loop is left behind as well")
    )
    func handleLeftBehindOnAThread() async throws {
        let reports = DiagnosticReports()
        let loop = try EventLoop(label: "left")
        try await loop.withLoop { loop in
            unsafe try loop.withUnsafeLoop { raw in unsafe _ = chost_timer(raw, 1, 1, nil, nil) }
        }
        await loop.shutdown()
        let report = try #require(reports.all.first { $0.contains("\"left\"") })
        #expect(
            report.hasPrefix("EventLoop \"left\" has ended and leaves memory and descriptors behind: "), "\(report)")
        #expect(report.contains("a loop with 1 open handle of C code: timer, made by C code"), "\(report)")
    }

    @Test("A report names C code's handles on an EventLoop's loop beside what tasks wait for")
    func explained() throws {
        try EventLoop.run(servesMainActor: false) { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            nonisolated(unsafe) var timer: UnsafeMutableRawPointer?
            try await loop.withLoop { loop in
                unsafe try loop.withUnsafeLoop { raw in unsafe timer = chost_timer(raw, 1_000_000, 0, nil, nil) }
            }
            let report = try await loop.explainAlive()
            #expect(
                report.entries.contains {
                    $0.kind == "timer" && $0.standing == .keepsLoopAlive
                        && $0.detail?.hasPrefix("made by C code") == true
                }, "\(report)")
            #expect(report.entries.contains { $0.kind == "TCP listener" }, "\(report)")
            try await loop.withLoop { _ in unsafe chost_close_timer(timer) }
            await listener.close()
        }
    }
}

private final class Box {
    let continuation: CheckedContinuation<Void, Never>
    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }
}
