import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct EchoTests {
    @Test("16 MB echoed to a client that half-closes after sending are equal byte by byte")
    func halfClosingClient() throws {
        let sent = pattern(count: 16_000_000)
        var received: [UInt8] = []
        var ended = 0
        var accepted = 0
        try withLoop { loop in
            let server = try Self.echoServer(on: loop, connections: 1) { accepted += 1 }
            try TCPHandle(on: loop).connect(to: server.localAddress) { client, error in
                #expect(error == nil)
                try! client.write(sent)
                try! client.finishWriting()
                try! client.startReading(
                    onBytes: { _, bytes in received.append(copying: bytes) },
                    onEnd: { client, error in
                        #expect(error == nil)
                        ended += 1
                        client.close()
                    })
            }
        }
        #expect(areEqual(received, sent) && ended == 1 && accepted == 1)
    }

    @Test("1,000 connections open, echo and close, and leave no descriptor")
    func thousandConnections() throws {
        let connections = 1_000
        var accepted = 0
        var echoed = 0
        var most = 0
        var open = 0
        try withLoop { loop in
            let server = try Self.echoServer(on: loop, connections: connections) { accepted += 1 }
            let address = try server.localAddress
            for index in 0..<connections {
                try TCPHandle(on: loop).connect(to: address) { client, error in
                    #expect(error == nil)
                    open += 1
                    most = max(most, open)
                    let message = [UInt8(truncatingIfNeeded: index), UInt8(truncatingIfNeeded: index >> 8)]
                    var answer: [UInt8] = []
                    try! client.write(message)
                    try! client.startReading(
                        onBytes: { client, bytes in
                            answer.append(copying: bytes)
                            if answer.count == message.count { try! client.finishWriting() }
                        },
                        onEnd: { client, error in
                            #expect(error == nil && answer == message)
                            echoed += 1
                            client.close { _ in open -= 1 }
                        })
                }
            }
        }
        #expect(accepted == connections && echoed == connections && open == 0)
    }

    @Test("Connections one after the other use the same descriptors again")
    func oneAfterTheOther() async {
        // In a process of its own: other tests would take some in between.
        await #expect(processExitsWith: .success) {
            var numbers: Set<CInt> = []
            var rounds = 0
            try withLoop { loop in
                let server = try EchoTests.echoServer(on: loop, connections: 300) {}
                let address = try server.localAddress
                func next() {
                    try! TCPHandle(on: loop).connect(to: address) { client, _ in
                        numbers.insert(try! client.fileDescriptor.rawValue)
                        try! client.finishWriting()
                        try! client.startReading(
                            onBytes: { _, _ in },
                            onEnd: { client, _ in
                                client.close { _ in
                                    rounds += 1
                                    if rounds < 300 { next() }
                                }
                            })
                    }
                }
                next()
            }
            #expect(rounds == 300 && numbers.count < 20)
        }
    }

    /// Echoes with backpressure and ends after so many connections.
    static func echoServer(
        on loop: Loop, connections: Int, _ onAccept: @escaping () -> Void
    ) throws -> TCPHandle {
        var left = connections
        return try TCPHandle.listening(on: loop) { listener, connection in
            let server = try! connection.get()
            onAccept()
            left -= 1
            if left == 0 { listener.close() }
            try! server.startReading(
                onBytes: { server, bytes in
                    let outcome = try! server.write(bytes) { server, error in
                        if error == nil { server.resumeReading() }
                    }
                    if outcome == .queued { server.stopReading() }
                },
                onEnd: { server, _ in server.closeAfterWrites() })
        }
    }
}
