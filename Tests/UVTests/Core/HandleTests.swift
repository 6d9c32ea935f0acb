import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct HandleTests {
    /// One of each type.
    static func makeAll(on loop: Loop) throws -> [Handle] {
        let pipe = try FileDescriptor.pipe()
        defer {
            try? pipe.readEnd.close()
            try? pipe.writeEnd.close()
        }
        return [
            try TimerHandle(on: loop), try IdleHandle(on: loop), try PrepareHandle(on: loop), try CheckHandle(on: loop),
            try WakeupHandle(on: loop) { _ in }, try SignalHandle(on: loop),
            try PollHandle(on: loop, watching: pipe.readEnd), try TCPHandle(on: loop),
            try TCPHandle.listening(on: loop) { _, _ in }, try TCPHandle.pair(on: loop).0,
        ]
    }

    @Test func haveTheirKind() throws {
        try withLoop { loop in
            let kinds = try Self.makeAll(on: loop).map(\.kind.name)
            #expect(
                kinds == [
                    "timer", "idle", "prepare", "check", "async", "signal", "poll", "tcp", "tcp", "tcp",
                ])
            try loop.closeAllHandles()
        }
    }

    @Test func areClosedInALaterTurn() throws {
        var closed: [String] = []
        try withLoop { loop in
            let all = try Self.makeAll(on: loop)
            for handle in all {
                handle.close { handle in
                    #expect(handle.isClosing && !handle.isActive)
                    closed.append(handle.kind.name)
                }
                #expect(handle.isClosing && !handle.isActive)
            }
            #expect(closed.isEmpty)
            try loop.closeAllHandles()
            try loop.run()
            #expect(closed.count == all.count)
        }
    }

    @Test("Guard: closing twice is harmless, and every onClosed is called once")
    func closeTwice() throws {
        var log: [String] = []
        try withLoop { loop in
            for handle in try Self.makeAll(on: loop) {
                log = []
                handle.close { _ in log.append("first") }
                handle.close()
                handle.close { handle in
                    log.append("second")
                    handle.close { _ in Issue.record("too late") }
                }
                try loop.run(.noWait)
                #expect(log == ["first", "second"], "\(handle)")
                handle.close { _ in Issue.record("too late") }
            }
            try loop.closeAllHandles()
        }
    }

    @Test func liveUntilTheyAreClosedThoughNobodyHoldsThem() throws {
        var fired = 0
        try withLoop { loop in
            for _ in 0..<10 {
                try TimerHandle(on: loop).start(after: .milliseconds(1)) { timer in
                    fired += 1
                    timer.close()
                }
            }
        }
        #expect(fired == 10)
    }

    @Test("Dropped handles neither crash nor leak")
    func dropped() throws {
        var weak: [WeakHandle] = []
        weak var leaked: Loop?
        try withLoop { loop in
            leaked = loop
            weak = try Self.makeAll(on: loop).map { WeakHandle(handle: $0) }
            try loop.run(.noWait)
            #expect(weak.allSatisfy { $0.handle != nil }, "they are the loop's")
            try loop.closeAllHandles()
            try loop.run()
            #expect(weak.allSatisfy { $0.handle == nil })
        }
        #expect(leaked == nil)
    }

    private struct WeakHandle { weak var handle: Handle? }

    @Test("Close ends retain cycles")
    func cycles() throws {
        var weak: [WeakHandle] = []
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let idle = try IdleHandle(on: loop)
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let listener = try TCPHandle.listening(on: loop) { _, _ in _ = (timer, near) }
            try timer.start(after: .seconds(50)) { _ in _ = (timer, idle, listener) }
            try idle.start { _ in _ = (timer, idle) }
            try near.startReading(onBytes: { _, _ in _ = (near, far) }, onEnd: { _, _ in _ = (near, far) })
            _ = try far.read { _, _ in _ = (near, far) }
            _ = try near.write([UInt8](repeating: 1, count: 8 << 20)) { _, _ in _ = (near, far) }
            try near.finishWriting { _, _ in _ = (near, far) }
            weak = [timer, idle, near, far, listener].map { WeakHandle(handle: $0) }
            for handle in loop.handles { handle.close { _ in _ = handle } }
        }
        #expect(weak.count == 5 && weak.allSatisfy { $0.handle == nil })
    }

    @Test("A stream keeps its attachment until its close has finished, and lends it to its callbacks")
    func attachment() throws {
        final class Attachment {}
        weak var kept: Attachment?
        var lent = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            #expect(unsafe near.attachment == nil && near.lentAttachment == nil)
            near.attachment = Attachment()
            kept = near.attachment as? Attachment
            try near.startReading(
                onBytes: { near, _ in
                    if unsafe near.lentAttachment?.takeUnretainedValue() === kept { lent += 1 }
                    near.close { near in
                        #expect(kept != nil)
                        if unsafe (near as? TCPHandle)?.lentAttachment?.takeUnretainedValue() === kept { lent += 1 }
                    }
                }, onEnd: { _, _ in })
            try far.write([1])
            far.closeAfterWrites()
        }
        #expect(lent == 2 && kept == nil)
    }

    @Test func aFailedInitLeavesNothing() throws {
        try withLoop { loop in
            let file = unsafe try FileDescriptor.open("/proc/self/exe", .readOnly)
            defer { try? file.close() }
            #expect(throws: UVError.self) { try PollHandle(on: loop, watching: file) }
            #expect(loop.handles.isEmpty)
        }
    }

    @Test func keepTheLoopAliveOrNot() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            #expect(timer.keepsLoopAlive && !loop.isAlive)
            try timer.start(after: .seconds(50)) { _ in Issue.record("fired") }
            #expect(loop.isAlive)
            timer.keepsLoopAlive = false
            timer.keepsLoopAlive = false
            #expect(!timer.keepsLoopAlive && !loop.isAlive && timer.isActive)
            try loop.run()
            timer.keepsLoopAlive = true
            #expect(loop.isAlive)
            timer.close()
            #expect(loop.isAlive, "the close has not finished")
        }
    }

    @Test("A listener in the background keeps the loop no longer than its connections")
    func backgroundListener() throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { _, connection in
                accepted += 1
                try! connection.get().close()
            }
            #expect(listener.isActive && loop.isAlive)
            listener.keepsLoopAlive = false
            #expect(listener.isActive && !loop.isAlive)
            let client = try TCPHandle(on: loop)
            try client.connect(to: listener.localAddress) { client, _ in
                try! client.startReading(onBytes: { _, _ in }, onEnd: { client, _ in client.close() })
            }
            try loop.run()
            listener.close()
        }
        #expect(accepted == 1)
    }

    @Test func describeThemselves() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop, file: "App/main.swift", line: 12)
            #expect("\(timer)" == "TimerHandle made at App/main.swift:12, not active")
            timer.label = "heartbeat"
            try timer.start(after: .seconds(1)) { _ in }
            #expect("\(timer)" == "TimerHandle \"heartbeat\" made at App/main.swift:12, active")
            timer.close()
            #expect("\(timer)" == "TimerHandle \"heartbeat\" made at App/main.swift:12, closing")
        }
    }

    @Test func haveADescriptorOrSayWhy() throws {
        try withLoop { loop in
            let timer = try TimerHandle(on: loop)
            let unconnected = try TCPHandle(on: loop)
            let made = try TCPHandle(on: loop, family: .ipv4)
            expectError(.invalidArgument) { try timer.fileDescriptor }
            expectError(.badFileDescriptor) { try unconnected.fileDescriptor }
            try #expect(made.fileDescriptor.rawValue > 2)
            try loop.closeAllHandles()
        }
    }

    @Test("B2: socket buffers of absurd sizes are errors", arguments: [0, -1, Int.min, Int.max, Int(CInt.max) + 1])
    func absurdBuffers(_ size: Int) throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop, family: .ipv4)
            expectError(.invalidArgument) { try socket.setSendBufferSize(size) }
            expectError(.invalidArgument) { try socket.setReceiveBufferSize(size) }
            socket.close()
        }
    }

    @Test func socketBuffersCanBeSet() throws {
        try withLoop { loop in
            let socket = try TCPHandle(on: loop, family: .ipv4)
            let timer = try TimerHandle(on: loop)
            try socket.setSendBufferSize(20_000)
            try socket.setReceiveBufferSize(30_000)
            try #expect([20_000, 40_000].contains(socket.sendBufferSize))
            try #expect([30_000, 60_000].contains(socket.receiveBufferSize))
            expectError(.notSupported) { try timer.sendBufferSize }
            let unconnected = try TCPHandle(on: loop)
            expectError(.badFileDescriptor) { try unconnected.sendBufferSize }
            try loop.closeAllHandles()
        }
    }
}
