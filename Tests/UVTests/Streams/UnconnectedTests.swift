import TestSupport
import Testing
import UV

@Suite(.ownThread) struct UnconnectedTests {
    @Test func aHandleWithoutASocketSaysThatItIsNotConnected() throws {
        try withLoop { loop in
            let handle = try TCPHandle(on: loop)
            expectError(.socketNotConnected) { try handle.write([1]) }
            expectError(.socketNotConnected) { try handle.write(contentsOf: [[1], [2]]) }
            expectError(.socketNotConnected) { try handle.tryWrite([1].span) }
            expectError(.socketNotConnected) { try handle.finishWriting() }
            expectError(.socketNotConnected) { try handle.read { _, _ in } }
            expectError(.socketNotConnected) {
                try handle.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            }
            #expect(!handle.isReadable && !handle.isWritable)
            expectError(.badFileDescriptor) { try handle.localAddress }
            expectError(.badFileDescriptor) { try handle.remoteAddress }
            handle.closeAfterWrites()
        }
    }

    @Test func aSocketWithoutAConnectionTakesNoBytes() throws {
        var ended = 0
        try withLoop { loop in
            let made = try TCPHandle(on: loop, family: .ipv4)
            let bound = try TCPHandle(on: loop)
            try bound.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
            let listener = try TCPHandle.listening(on: loop) { _, _ in }
            for handle in [made, bound, listener] {
                #expect(throws: UVError.self) { try handle.write([1]) }
                #expect(throws: UVError.self) { try handle.write(contentsOf: [[1], [2]]) }
                #expect(throws: UVError.self) { _ = try handle.tryWrite([1].span) }
                expectError(.socketNotConnected) { try handle.remoteAddress }
            }
            expectError(.socketNotConnected) { try listener.read { _, _ in } }
            try bound.startReading(
                onBytes: { _, _ in Issue.record("read") },
                onEnd: { bound, error in
                    #expect(error?.code == .socketNotConnected)
                    ended += 1
                    bound.close()
                })
            made.close()
            listener.close()
        }
        #expect(ended == 1)
    }

    @Test("Guard: a shutdown during a connect is refused; libuv would take it for the end of the connect")
    func shutdownWhileConnecting() throws {
        var connected = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().close()
                listener.close()
            }
            let client = try TCPHandle(on: loop)
            try client.connect(to: listener.localAddress) { client, error in
                #expect(error == nil)
                connected += 1
                try! client.finishWriting { client, error in
                    #expect(error == nil)
                    client.close()
                }
            }
            expectError(.socketNotConnected) { try client.finishWriting() }
        }
        #expect(connected == 1)
    }
}
