import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// K3: a handle that closes in its own callback, twice, is closed once and calls nothing any more.
@Suite(.ownThread, .serialized) struct CloseInCallbackTests {
    /// Counts what a test expects exactly once.
    private final class Ends {
        var called = 0
        var closed = 0

        func close(_ handle: Handle) {
            called += 1
            #expect(!handle.isClosing, "called after close")
            handle.close { [self] _ in closed += 1 }
            handle.close()
        }
    }

    private func closes(_ body: (Loop, Ends) throws -> Void) throws {
        let ends = Ends()
        try withLoop { try body($0, ends) }
        #expect(ends.called == 1 && ends.closed == 1)
    }

    @Test("K3: close in a timer's call") func timer() throws {
        try closes { loop, ends in
            try TimerHandle(on: loop).start(after: .zero, every: .milliseconds(1)) { ends.close($0) }
        }
    }

    @Test("K3: close in an idle handle's call") func idle() throws {
        try closes { loop, ends in try IdleHandle(on: loop).start { ends.close($0) } }
    }

    @Test("K3: close in a prepare handle's call") func prepare() throws {
        try closes { loop, ends in
            try PrepareHandle(on: loop).start { ends.close($0) }
            try TimerHandle(on: loop).start(after: .zero) { $0.close() }
        }
    }

    @Test("K3: close in a check handle's call") func check() throws {
        try closes { loop, ends in
            try CheckHandle(on: loop).start { ends.close($0) }
            try TimerHandle(on: loop).start(after: .zero) { $0.close() }
        }
    }

    @Test("K3: close in a wake-up's call") func wakeup() throws {
        try closes { loop, ends in try WakeupHandle(on: loop) { ends.close($0) }.waker.wake() }
    }

    @Test("K3: close in a signal's call") func signal() throws {
        try closes { loop, ends in
            try SignalHandle(on: loop).start(.windowChange) { signal, _ in ends.close(signal) }
            raise(SIGWINCH)
            raise(SIGWINCH)
        }
    }

    @Test("K3: close in a poll handle's call") func poll() throws {
        let pipe = try FileDescriptor.pipe()
        try closes { loop, ends in
            try PollHandle(on: loop, watching: pipe.writeEnd).start(.writable) { poll, _ in ends.close(poll) }
        }
        try pipe.readEnd.close()
        try pipe.writeEnd.close()
    }

    @Test("K3: close in the read callback") func read() throws {
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.startReading(
                onBytes: { near, _ in
                    ends.close(near)
                    far.close()
                }, onEnd: { _, _ in Issue.record("ended") })
            try far.write([UInt8](repeating: 1, count: 1 << 20))
        }
    }

    @Test("K3: close in the end of reading") func end() throws {
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.startReading(onBytes: { _, _ in }, onEnd: { near, _ in ends.close(near) })
            far.close()
        }
    }

    @Test("K3: close in a receive") func receive() throws {
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            _ = try near.read { near, _ in
                ends.close(near)
                far.close()
            }
            try far.write([1])
        }
    }

    @Test("K3: close when a write is done; those behind it are canceled") func write() throws {
        var canceled = 0
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
            _ = try near.write([UInt8](repeating: 1, count: 8 << 20)) { near, _ in ends.close(near) }
            _ = try near.write([UInt8](repeating: 1, count: 8 << 20)) { _, error in
                #expect(error?.code == .canceled)
                canceled += 1
            }
        }
        #expect(canceled == 1)
    }

    @Test("K3: close when a shutdown is done") func shutdown() throws {
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.finishWriting { near, _ in ends.close(near) }
            far.close()
        }
    }

    @Test("K3: close when a connect is done") func connect() throws {
        try closes { loop, ends in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().close()
                listener.close()
            }
            try TCPHandle(on: loop).connect(to: listener.localAddress) { client, _ in ends.close(client) }
        }
    }

    @Test("K3: close when a connect has failed") func refused() throws {
        try closes { loop, ends in
            let closed = try TCPHandle(on: loop)
            try closed.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
            try TCPHandle(on: loop).connect(to: closed.localAddress) { client, error in
                #expect(error?.code == .connectionRefused)
                ends.close(client)
                closed.close()
            }
        }
    }

    @Test("K3: close of the listener and of the connection when one is accepted") func accept() throws {
        try closes { loop, ends in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().close()
                ends.close(listener)
            }
            for _ in 0..<5 {
                try TCPHandle(on: loop).connect(to: listener.localAddress) { client, _ in client.close() }
            }
        }
    }

    @Test("K3: close of everything in a callback") func everything() throws {
        try closes { loop, ends in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .zero) { _ in Issue.record("fired") }
            timer.stop()
            try far.startReading(onBytes: { _, _ in Issue.record("read") }, onEnd: { _, _ in Issue.record("ended") })
            try near.write([1])
            try IdleHandle(on: loop).start { idle in
                ends.close(idle)
                try! loop.closeAllHandles()
                try! loop.closeAllHandles()
            }
        }
    }

    @Test("K3: the last reference dropped in the callback") func lastReference() throws {
        weak var dropped: TimerHandle?
        try withLoop { loop in
            var timer: TimerHandle? = try TimerHandle(on: loop)
            dropped = timer
            try timer?.start(after: .zero) { fired in
                timer = nil
                fired.close()
            }
        }
        #expect(dropped == nil)
    }

    @Test("K3: new handles made in onClosed live") func openInOnClosed() throws {
        var fired = 0
        try withLoop { loop in
            try TimerHandle(on: loop).close { _ in
                try! TimerHandle(on: loop).start(after: .zero) { timer in
                    fired += 1
                    timer.close()
                }
            }
        }
        #expect(fired == 1)
    }
}
