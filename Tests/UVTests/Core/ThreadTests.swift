import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// K4: use off the loop's thread, and a loop inside itself, stop the process with a sentence.
@Suite(.ownThread) struct ThreadTests {
    /// The types and what is done with them.
    enum Misuse: String, Codable, CaseIterable {
        case loop = "Loop"
        case timer = "TimerHandle"
        case tcp = "TCPHandle"
        case idle = "IdleHandle"
        case signal = "SignalHandle"
        case poll = "PollHandle"
        case wakeup = "WakeupHandle"

        func commit() throws {
            let loop = try Loop()
            nonisolated(unsafe) let misuse: () throws -> Void
            switch self {
            case .loop: unsafe misuse = { try loop.run() }
            case .timer:
                let timer = try TimerHandle(on: loop)
                timer.label = "mine"
                unsafe misuse = { try timer.start(after: .zero) { _ in } }
            case .tcp:
                let (near, _) = try TCPHandle.pair(on: loop)
                near.label = "mine"
                unsafe misuse = { try near.write([1]) }
            case .idle:
                let idle = try IdleHandle(on: loop)
                idle.label = "mine"
                unsafe misuse = { _ = idle.isActive }
            case .signal:
                let signal = try SignalHandle(on: loop)
                signal.label = "mine"
                unsafe misuse = { signal.close() }
            case .poll:
                let poll = try PollHandle(on: loop, watching: FileDescriptor.pipe().readEnd)
                poll.label = "mine"
                unsafe misuse = { poll.stop() }
            case .wakeup:
                let wakeup = try WakeupHandle(on: loop) { _ in }
                wakeup.label = "mine"
                unsafe misuse = { wakeup.keepsLoopAlive = false }
            }
            nonisolated(unsafe) let offThread = unsafe misuse
            onThreads(1) { unsafe try? offThread() }
        }
    }

    @Test("K4: the wrong thread stops the process, and the sentence names the type", arguments: Misuse.allCases)
    func wrongThread(_ misuse: Misuse) async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            [misuse = misuse as Misuse] in try misuse.commit()
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("\(misuse.rawValue)") && text.contains("used off its loop's thread"))
        #expect(text.contains("waker") && text.contains("withLoop"), "what to do")
        if misuse != .loop { #expect(text.contains("\(misuse.rawValue) \"mine\" made at UVTests/ThreadTests.swift:")) }
    }

    @Test("K4: a handle made on another thread's loop stops the process")
    func creationOnTheWrongThread() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try synchronously {
                nonisolated(unsafe) let loop = try Loop()
                onThreads(1) { _ = unsafe try? TimerHandle(on: loop) }
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("TimerHandle made at UVTests/ThreadTests.swift:"))
        #expect(text.contains("used off its loop's thread"))
    }

    @Test("K4: run inside run stops the process with a sentence")
    func runInsideRun() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try synchronously {
                let loop = try Loop()
                try TimerHandle(on: loop).start(after: .zero) { _ in _ = try? loop.run() }
                try loop.run()
            }
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("Loop.run called inside Loop.run"))
    }

    @Test("K4: two loops on one thread may run one inside the other")
    func anotherLoopInsideRun() throws {
        var fired = 0
        try withLoop { outer in
            try TimerHandle(on: outer).start(after: .zero) { timer in
                let inner = try! Loop()
                try! TimerHandle(on: inner).start(after: .zero) { timer in
                    fired += 1
                    timer.close()
                }
                try! inner.run()
                try! inner.close()
                timer.close()
            }
        }
        #expect(fired == 1)
    }

    @Test("K4: loops on eight threads at once do not disturb each other")
    func loopsSideBySide() {
        onThreads(8) {
            do {
                try withLoop { loop in
                    for _ in 0..<20 {
                        let (near, far) = try TCPHandle.tcpPair(on: loop)
                        try far.startReading(
                            onBytes: { far, bytes in try! far.write(bytes) },
                            onEnd: { far, _ in far.close() })
                        try near.startReading(onBytes: { near, _ in near.close() }, onEnd: { _, _ in })
                        try near.write([1, 2, 3])
                    }
                }
            } catch { Issue.record(error) }
        }
    }
}
