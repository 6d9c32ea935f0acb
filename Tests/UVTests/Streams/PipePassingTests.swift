import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Sockets that travel over a pipe handle with `ipc: true`.
@Suite(.ownThread) struct PipePassingTests {
    /// Reads and accepts whatever comes, until so many handles have come.
    private func receive(_ count: Int, over pipe: PipeHandle, _ onHandle: @escaping (StreamHandle) -> Void) throws {
        var left = count
        try pipe.startReading(
            onBytes: { _, _ in
                while let kind = pipe.pendingKind {
                    let handle: StreamHandle =
                        kind.name == "tcp" ? try! TCPHandle(on: pipe.loop) : try! PipeHandle(on: pipe.loop)
                    try! pipe.acceptPending(into: handle)
                    onHandle(handle)
                    left -= 1
                }
                if left == 0 { pipe.close() }
            }, onEnd: { pipe, _ in pipe.close() })
    }

    @Test("A TCP connection goes on with the receiver", arguments: [false, true])
    func tcp(_ tries: Bool) throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let (connection, peer) = try TCPHandle.withPlainPeer(on: loop)
            if tries {
                #expect(try near.tryWrite([1, 2], sending: connection) == 2)
            } else {
                #expect(try near.write([1, 2], sending: connection) == .sent)
            }
            connection.close()
            near.closeAfterWrites()
            var kinds: [String] = []
            try receive(1, over: far) { handle in
                kinds.append(handle.kind.name)
                try! handle.write("hello")
                handle.closeAfterWrites()
            }
            try loop.run()
            #expect(kinds == ["tcp"])
            #expect(try peer.readToEnd() == Array("hello".utf8))
            try peer.close()
        }
    }

    @Test("A listener and a local connection, too") func others() throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let socket = try FileDescriptor.tcpListener()
            let port = try socket.localPort
            let listener = try TCPHandle(on: loop)
            try listener.open(socket)
            let (one, other) = try PipeHandle.pair(on: loop)
            try near.write([1], sending: listener)
            try near.write([1], sending: one)
            listener.close()
            one.close()
            var accepted = 0
            var received: [UInt8] = []
            try receive(2, over: far) { handle in
                if let listener = handle as? TCPHandle {
                    try! listener.listen { listener, connection in
                        accepted += 1
                        try! connection.get().close()
                        listener.close()
                    }
                } else {
                    try! handle.write([7])
                    handle.close()
                }
            }
            try other.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { other, _ in other.close() })
            let client = try FileDescriptor.tcpConnection(toPort: port)
            try loop.run()
            near.close()
            try client.close()
            #expect(accepted == 1 && received == [7])
        }
    }

    @Test("What waits for room is sent in order, though the handle was closed at once") func queued() throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            #expect(try near.write([UInt8](repeating: 0, count: 3 << 20)) == .queued)
            var peers: [FileDescriptor] = []
            var done: [UVError?] = []
            for number: UInt8 in 1...10 {
                let (connection, peer) = try TCPHandle.withPlainPeer(on: loop)
                peers.append(peer)
                let outcome = try near.write([number, number], sending: connection) { _, error in done.append(error) }
                #expect(outcome == .queued)
                expectError(.badFileDescriptor) {
                    connection.close()
                    return try near.write([1], sending: connection)
                }
                #expect(try near.tryWrite([1], sending: far) == 0)
                try near.write([number])
            }
            near.closeAfterWrites()
            var bytes: [UInt8] = []
            var handles: [TCPHandle] = []
            try far.startReading(
                onBytes: { _, more in
                    for index in 0..<more.count where more[index] != 0 { bytes.append(more[index]) }
                    while far.pendingCount > 0 {
                        handles.append(try! TCPHandle(on: loop))
                        try! far.acceptPending(into: handles[handles.count - 1])
                    }
                }, onEnd: { far, _ in far.close() })
            try loop.run()
            #expect(bytes == (1...10).flatMap { [UInt8](repeating: $0, count: 3) })
            #expect(done.count == 10 && done.allSatisfy { $0 == nil })
            for (number, handle) in handles.enumerated() {
                try handle.write([UInt8(number)])
                handle.close()
            }
            try loop.run()
            #expect(try peers.map { try $0.readToEnd() } == (0..<10).map { [$0] })
            for peer in peers { try peer.close() }
        }
    }

    @Test("What is sent wrongly is refused, and nothing is kept") func refused() throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let (plain, other) = try PipeHandle.pair(on: loop)
            expectError(.invalidArgument) { try plain.write([1], sending: near) }
            expectError(.invalidArgument) { try near.write([], sending: plain) }
            expectError(.badFileDescriptor) { try near.write([1], sending: try TCPHandle(on: loop)) }
            expectError(.resourceTemporarilyUnavailable) { try far.acceptPending(into: try PipeHandle(on: loop)) }
            far.close()
            try loop.run(.noWait)
            expectError(.brokenPipe) { try near.write([1], sending: plain) }
            for handle in [near, plain, other] { handle.close() }
            try loop.closeAllHandles()
        }
    }

    @Test("What does not fit the next descriptor is refused, and the descriptor waits on") func mismatch() throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let (one, other) = try PipeHandle.pair(on: loop)
            try near.write([1], sending: one)
            one.close()
            try far.startReading(
                onBytes: { _, _ in
                    expectError(.invalidArgument) { try far.acceptPending(into: try TCPHandle(on: loop)) }
                    expectError(.resourceBusy) { try far.acceptPending(into: other) }
                    #expect(far.pendingCount == 1)
                    far.dropPending()
                    far.dropPending()
                    #expect(far.pendingCount == 0)
                }, onEnd: { far, _ in far.close() })
            var ended = 0
            try other.startReading(
                onBytes: { _, _ in },
                onEnd: { other, _ in
                    ended += 1
                    try! loop.closeAllHandles()
                })
            try loop.run()
            #expect(ended == 1)
        }
    }

    @Test(
        "60 descriptors, as many as every libuv has room for, come at once; a close, and a peer that dies, leave none of them open",
        arguments: [false, true])
    func untaken(_ arrives: Bool) throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let (readEnd, writeEnd) = try PipeHandle.pipe()
            let copies = [FileDescriptor](repeating: writeEnd, count: 60)
            #expect(try LocalMessage.send([1, 2].span, descriptors: copies, over: near.fileDescriptor) == 2)
            if arrives {
                try far.startReading(
                    onBytes: { far, bytes in
                        #expect((far as? PipeHandle)?.pendingCount == 60)
                        #expect(bytes.count == 2)
                        far.close()
                    }, onEnd: { _, _ in })
            } else {
                far.close()
            }
            near.close()
            try loop.run()
            try writeEnd.close()
            #expect(try readEnd.readToEnd() == [])
            try readEnd.close()
        }
    }

    @Test(
        "Guard: the end comes behind all bytes, though descriptors end each read before it", arguments: [false, true])
    func earlyEnd(_ ipc: Bool) throws {
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: ipc)
            for number: UInt8 in 1...100 {
                let bytes = [number]
                #expect(
                    try LocalMessage.send(bytes.span, descriptors: [.standardInput], over: near.fileDescriptor) == 1)
            }
            near.close()
            try loop.run()
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) },
                onEnd: { far, error in
                    #expect(error == nil)
                    ended += 1
                    far.close()
                })
        }
        #expect(received == Array(1...100) && ended == 1)
    }

    @Test(
        "Guard: taking the last descriptor of a pipe that nobody reads does not let the loop spin",
        arguments: [false, true])
    func noSpinning(_ hasEnded: Bool) throws {
        try withLoop { loop in
            let (near, far) = try PipeHandle.pair(on: loop, ipc: true)
            let (one, other) = try PipeHandle.pair(on: loop)
            try near.write([1], sending: one)
            one.close()
            if hasEnded { near.close() }
            var turns = 0
            let prepare = try PrepareHandle(on: loop)
            func accept() {
                try! far.acceptPending(into: try! PipeHandle(on: loop))
                if !hasEnded { try! near.write([2]) }
                try! prepare.start { _ in turns += 1 }
                try! TimerHandle(on: loop).start(after: .milliseconds(50)) { _ in try! loop.closeAllHandles() }
            }
            try far.startReading(
                onBytes: { far, _ in
                    guard !hasEnded else { return }
                    far.stopReading()
                    accept()
                }, onEnd: { _, _ in accept() })
            try loop.run()
            #expect(turns < 20)
            _ = other
        }
    }
}
