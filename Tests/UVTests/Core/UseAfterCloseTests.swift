import SystemPackage
import TestSupport
import Testing
import UV

/// K3: whatever is done with a closing or closed handle, it throws or does nothing.
@Suite(.ownThread) struct UseAfterCloseTests {
    @Test("K3: every operation that can throw says bad file descriptor", arguments: [false, true])
    func throwing(afterTheCallback closed: Bool) throws {
        try withLoop { loop in
            let address = SocketAddress.anyIPv4(port: 0)
            let bytes: [UInt8] = [1]
            try check(try TimerHandle(on: loop), closed) { timer in
                [
                    { try timer.start(after: .zero) { _ in } }, { try timer.restart() },
                    { try timer.setInterval(.seconds(1)) }, { _ = try timer.fileDescriptor },
                ]
            }
            try check(try IdleHandle(on: loop), closed) { idle in [{ try idle.start { _ in } }] }
            try check(try PrepareHandle(on: loop), closed) { prepare in [{ try prepare.start { _ in } }] }
            try check(try CheckHandle(on: loop), closed) { check in [{ try check.start { _ in } }] }
            try check(try SignalHandle(on: loop), closed) { signal in [{ try signal.start(.windowChange) { _, _ in } }]
            }
            let listener = try TCPHandle.listening(on: loop) { _, _ in }
            try check(try PollHandle(on: loop, watching: listener.fileDescriptor), closed) { poll in
                [{ try poll.start(.readable) { _, _ in } }, { _ = try poll.fileDescriptor }]
            }
            for stream in [try TCPHandle(on: loop), try TCPHandle.tcpPair(on: loop).0, listener] {
                try check(stream, closed) { stream in
                    [
                        { try stream.startReading(onBytes: { _, _ in }, onEnd: { _, _ in }) },
                        { _ = try stream.read { _, _ in } }, { try stream.setBlocking(enabled: true) },
                        { _ = try stream.write(bytes) { _, _ in Issue.record("written") } },
                        { _ = try stream.write(bytes.span) { _, _ in Issue.record("written") } },
                        { _ = try stream.write(contentsOf: [bytes]) { _, _ in Issue.record("written") } },
                        { try stream.write([]) }, { try stream.write(contentsOf: []) },
                        { _ = try stream.tryWrite(bytes.span) },
                        { try stream.finishWriting { _, _ in Issue.record("shut down") } },
                        { try stream.open(FileDescriptor(rawValue: 1)) },
                        { try stream.connect(to: address) { _, _ in Issue.record("connected") } },
                        { try stream.bind(to: address) }, { try stream.listen { _, _ in } },
                        { try stream.resumeAccepting() }, { try stream.setSimultaneousAccepts(enabled: true) },
                        { _ = try stream.localAddress }, { _ = try stream.remoteAddress },
                        { try stream.setNoDelay(enabled: true) }, { try stream.setKeepAlive(TCPKeepAlive()) },
                        { try stream.setKeepAlive(nil) }, { _ = try stream.sendBufferSize },
                        { _ = try stream.receiveBufferSize }, { try stream.setSendBufferSize(4_096) },
                        { try stream.setReceiveBufferSize(4_096) }, { _ = try stream.fileDescriptor },
                    ]
                }
            }
            try loop.closeAllHandles()
        }
    }

    private func check<T: Handle>(_ handle: T, _ closed: Bool, _ operations: (T) -> [() throws -> Void]) throws {
        handle.close()
        if closed { try handle.loop.run(.noWait) }
        for (index, operation) in operations(handle).enumerated() {
            let error = #expect(throws: UVError.self, "\(T.self), operation \(index)") { try operation() }
            #expect(error?.code == .badFileDescriptor, "\(T.self), operation \(index)")
            let isConnection = error?.subject?.hasPrefix("a closed connection with 127.0.0.1:") == true
            #expect(error?.subject == "a closed \(T.self)" || isConnection, "\(T.self), operation \(index)")
        }
    }

    @Test("K3: everything else does nothing", arguments: [false, true])
    func harmless(afterTheCallback closed: Bool) throws {
        try withLoop { loop in
            let all = try HandleTests.makeAll(on: loop)
            try loop.closeAllHandles()
            if closed { try loop.run(.noWait) }
            for handle in all {
                #expect(!handle.isActive && handle.isClosing)
                handle.keepsLoopAlive = true
                handle.keepsLoopAlive = false
                if closed { #expect(!handle.keepsLoopAlive) }
                #expect(!handle.kind.name.isEmpty && handle.description.hasSuffix(", closing"))
                switch handle {
                case let timer as TimerHandle:
                    timer.stop()
                    #expect(timer.interval == nil && timer.timeLeft == .zero)
                case let idle as IdleHandle: idle.stop()
                case let prepare as PrepareHandle: prepare.stop()
                case let check as CheckHandle: check.stop()
                case let signal as SignalHandle: signal.stop()
                case let poll as PollHandle: poll.stop()
                case let wakeup as WakeupHandle: #expect(!wakeup.waker.wake())
                case let tcp as TCPHandle:
                    tcp.stopReading()
                    tcp.resumeReading()
                    #expect(!tcp.cancelRead() && !tcp.isReadable && !tcp.isWritable)
                    #expect(tcp.writeQueueSize == 0)
                    tcp.closeAfterWrites()
                    tcp.pauseAccepting()
                    tcp.closeWithReset { _ in if closed { Issue.record("too late") } }
                default: Issue.record("not covered: \(handle)")
                }
            }
        }
    }
}
