import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// SIGPIPE: each in a process of its own, which it would end.
@Suite(.ownThread) struct BrokenPipeTests {
    private static func close(_ watcher: SignalHandle) throws {
        watcher.close()
        try watcher.loop.run()
        try watcher.loop.close()
    }

    /// Writes to a connection that is closed. Comes back if SIGPIPE is ignored.
    private static func writeToClosedPeer() throws {
        let loop = try Loop()
        let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
        try peer.closeWithReset()
        for _ in 0..<3 { #expect(throws: UVError.self) { try near.write([1]) } }
        // Outside of the library too.
        #expect(throws: Errno.self) { try near.fileDescriptor.writeAll([1]) }
        near.close()
        try loop.run()
        try loop.close()
    }

    @Test("Guard: writing to a closed peer does not end the process")
    func writing() async {
        await #expect(processExitsWith: .success) { try Self.writeToClosedPeer() }
    }

    @Test("Guard: after a watcher of SIGPIPE is stopped, it still ends nothing")
    func stoppedWatcher() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let watcher = try SignalHandle(on: Loop())
                try watcher.start(.brokenPipe) { _, _ in }
                watcher.stop()
                try Self.writeToClosedPeer()
                try watcher.start(.brokenPipe) { _, _ in }
                watcher.close()
                try Self.writeToClosedPeer()
                try Self.close(watcher)
            }
        }
    }

    @Test("Guard: after a watcher of SIGPIPE turns to another signal, it still ends nothing")
    func turnedWatcher() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let watcher = try SignalHandle(on: Loop())
                try watcher.start(.brokenPipe) { _, _ in }
                try watcher.start(.user1) { _, _ in }
                try Self.writeToClosedPeer()
                try Self.close(watcher)
            }
        }
    }

    @Test("Guard: after a watcher of SIGPIPE fails to turn to another signal, it is still watched")
    func failedTurn() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let watcher = try SignalHandle(on: Loop())
                try watcher.start(.brokenPipe) { _, _ in }
                expectError(.invalidArgument) { try watcher.start(.kill) { _, _ in } }
                try Self.writeToClosedPeer()
                try Self.close(watcher)
            }
        }
    }

    @Test("Guard: after the one call of a watcher of SIGPIPE, it still ends nothing")
    func onceWatcher() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let watcher = try SignalHandle(on: Loop())
                var calls = 0
                try watcher.start(.brokenPipe, once: true) { _, _ in calls += 1 }
                raise(SIGPIPE)
                try watcher.loop.run()
                #expect(calls == 1)
                try Self.writeToClosedPeer()
                try Self.close(watcher)
            }
        }
    }

    @Test("A handler that somebody has set stays")
    func otherHandler() async {
        await #expect(processExitsWith: .exitCode(77)) {
            signal(SIGPIPE) { _ in _exit(77) }
            try Self.writeToClosedPeer()
        }
    }

    @Test("Guard: while it is watched and left alone in all ways, there is no moment with the default action")
    func watchersComeAndGo() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let pipe = try FileDescriptor.pipe()
                try Loop().close()
                try pipe.readEnd.close()
                Thread.detachNewThread { while true { _ = try? pipe.writeEnd.writeAll([1]) } }
                for round in 0..<(isSanitized ? 500 : 15_000) {
                    let loop = try Loop()
                    let watcher = try SignalHandle(on: loop)
                    try watcher.start(.brokenPipe, once: round % 2 == 1) { _, _ in }
                    switch round % 5 {
                    case 0: watcher.stop()
                    case 1: try watcher.start(.user1) { _, _ in }
                    case 2: try? watcher.start(.kill) { _, _ in }
                    case 3: try loop.run(.noWait)
                    default: break
                    }
                    try loop.closeAllHandles()
                    try loop.run()
                    try loop.close()
                }
            }
        }
    }
}
