import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TCPConnectTests {
    @Test func connectsAndKnowsBothAddresses() throws {
        var connected = 0
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                let server = try! connection.get()
                #expect(try! server.localAddress == listener.localAddress)
                #expect(try! server.remoteAddress.host == "127.0.0.1")
                #expect(server.isReadable && server.isWritable)
                accepted += 1
                server.close()
                listener.close()
            }
            let address = try listener.localAddress
            try TCPHandle(on: loop).connect(to: address) { client, error in
                #expect(error == nil)
                #expect(try! client.remoteAddress == address)
                #expect(try! client.localAddress.port != 0)
                #expect(client.isReadable && client.isWritable)
                connected += 1
                client.close()
            }
        }
        #expect(connected == 1 && accepted == 1)
    }

    @Test("N3: a refused connection is a typed error that names the address, and leaves nothing")
    func refused() throws {
        var failed = 0
        try withLoop { loop in
            let unused = try TCPHandle(on: loop)
            try unused.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
            let address = try unused.localAddress
            try TCPHandle(on: loop).connect(to: address) { client, error in
                #expect(error?.description == "connection refused (ECONNREFUSED) in connect of \(address)")
                #expect(throws: UVError.self) { try client.write([1]) }
                failed += 1
                client.close()
                unused.close()
            }
        }
        #expect(failed == 1)
    }

    #if os(Linux)
    @Test("N3: a connection with itself, by a port that nobody listens on, is refused, and the port is free")
    func selfConnect() throws {
        var outcome: UVError?
        try withLoop { loop in
            let client = try TCPHandle(on: loop, family: .ipv4)
            let address = try client.willChooseFreePort()
            try client.connect(to: address) { client, error in
                outcome = error
                #expect(throws: UVError.self) { try client.write([1]) }
                // Its port is free before the handle is closed.
                let server = try! TCPHandle(on: client.loop)
                try! server.bind(to: address)
                try! server.listen { _, _ in }
                server.close()
                client.close()
            }
            try loop.run()
            #expect(outcome?.description == "connection refused (ECONNREFUSED) in connect of \(address)")
        }
    }

    @Test("N3: so is one from a local address without a port")
    func selfConnectFromAnAddress() throws {
        var outcome: UVError?
        try withLoop { loop in
            let client = try TCPHandle(on: loop, family: .ipv4)
            let address = try client.willChooseFreePort()
            try client.bind(to: .loopback(port: 0))
            #expect(try client.localAddress == address)
            try client.connect(to: address) { client, error in
                outcome = error
                client.close()
            }
        }
        #expect(outcome?.code == .connectionRefused)
    }

    @Test("Who binds to an address and connects to it wants the connection with itself")
    func selfConnectOnPurpose() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let client = try TCPHandle(on: loop, family: .ipv4)
            let address = try client.willChooseFreePort()
            try client.bind(to: address)
            try client.connect(to: address) { client, error in
                #expect(error == nil)
                try! client.write([1])
                try! client.startReading(
                    onBytes: { client, bytes in
                        received.append(copying: bytes)
                        client.close()
                    }, onEnd: { _, _ in })
            }
        }
        #expect(received == [1])
    }
    #endif

    @Test("N3: a hundred refused connections leave no descriptor")
    func refusedOften() throws {
        var failed = 0
        try withLoop { loop in
            let unused = try TCPHandle(on: loop)
            try unused.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
            for _ in 0..<100 {
                try TCPHandle(on: loop).connect(to: unused.localAddress) { client, error in
                    #expect(error?.code == .connectionRefused)
                    failed += 1
                    client.close()
                }
            }
            unused.close()
        }
        #expect(failed == 100)
    }

    @Test func aSecondConnectIsRefused() throws {
        var connected = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().close()
                listener.close()
            }
            let address = try listener.localAddress
            let client = try TCPHandle(on: loop)
            try client.connect(to: address) { client, error in
                #expect(error == nil)
                connected += 1
                client.close()
            }
            expectError(.alreadyInProcess) {
                try client.connect(to: address) { _, _ in Issue.record("connected twice") }
            }
        }
        #expect(connected == 1)
    }

    @Test func connectingAConnectedHandleIsAnErrorAndHarmless() throws {
        var ended = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().closeAfterWrites()
                listener.close()
            }
            let address = try listener.localAddress
            try TCPHandle(on: loop).connect(to: address) { client, _ in
                expectError(.socketIsConnected) {
                    try client.connect(to: address) { _, _ in Issue.record("connected twice") }
                }
                try! client.startReading(
                    onBytes: { _, _ in },
                    onEnd: { client, error in
                        #expect(error == nil)
                        ended += 1
                        client.close()
                    })
            }
        }
        #expect(ended == 1)
    }

    @Test func aClosedConnectIsCanceled() throws {
        var log: [String] = []
        try withLoop { loop in
            let listener = try FileDescriptor.tcpListener()
            let client = try TCPHandle(on: loop)
            try client.connect(to: SocketAddress(host: "127.0.0.1", port: listener.localPort)) { _, error in
                #expect(error?.code == .canceled)
                log.append("connect")
            }
            client.close { _ in log.append("closed") }
            #expect(log.isEmpty)
            try loop.run()
            try listener.close()
        }
        #expect(log == ["connect", "closed"])
    }

    @Test func writesBeforeTheConnectionArrive() throws {
        var received: [UInt8] = []
        var log: [String] = []
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().startReading(
                    onBytes: { _, bytes in received.append(copying: bytes) },
                    onEnd: { server, _ in
                        server.close()
                        listener.close()
                    })
            }
            let client = try TCPHandle(on: loop)
            try client.connect(to: listener.localAddress) { client, error in
                #expect(error == nil)
                log.append("connected")
            }
            try #expect(client.tryWrite([9].span) == 0)
            try #expect(client.write([1, 2]) { _, _ in log.append("written") } == .queued)
            try #expect(client.write([3]) { _, _ in client.closeAfterWrites() } == .queued)
            #expect(client.writeQueueSize == 3)
        }
        #expect(received == [1, 2, 3])
        #expect(log == ["connected", "written"])
    }

    @Test("closeAfterWrites before the connection is made sends what was written")
    func closeAfterWritesWhileConnecting() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                try! connection.get().startReading(
                    onBytes: { _, bytes in received.append(copying: bytes) },
                    onEnd: { server, _ in
                        server.close()
                        listener.close()
                    })
            }
            let client = try TCPHandle(on: loop)
            try client.connect(to: listener.localAddress) { _, error in #expect(error == nil) }
            try client.write([1, 2, 3])
            client.closeAfterWrites()
            // A listener that nobody reaches would wait for ever.
            try TimerHandle(on: loop).start(after: .seconds(5)) { _ in try? loop.closeAllHandles() }
            loop.handles.last?.keepsLoopAlive = false
            try loop.run()
            try loop.closeAllHandles()
        }
        #expect(received == [1, 2, 3])
    }

    @Test func writesBeforeAFailedConnectEndOnce() throws {
        var log: [String] = []
        try withLoop { loop in
            let unused = try TCPHandle(on: loop)
            try unused.bind(to: SocketAddress(host: "127.0.0.1", port: 0))
            let client = try TCPHandle(on: loop)
            try client.connect(to: unused.localAddress) { client, error in
                #expect(error?.code == .connectionRefused)
                log.append("connect")
                client.close()
                unused.close()
            }
            for _ in 0..<3 {
                _ = try client.write([1]) { _, error in
                    #expect(error != nil)
                    log.append("write")
                }
            }
        }
        #expect(log.sorted() == ["connect", "write", "write", "write"])
    }

    @Test func aBoundHandleConnectsFromItsAddress() throws {
        var connected = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                #expect(try! connection.get().remoteAddress.host == "127.0.0.2")
                try! connection.get().close()
                listener.close()
            }
            let client = try TCPHandle(on: loop)
            try client.bind(to: SocketAddress(host: "127.0.0.2", port: 0))
            try client.connect(to: listener.localAddress) { client, error in
                #expect(error == nil)
                connected += 1
                client.close()
            }
        }
        #expect(connected == 1)
    }

    @Test func connectsOverIPv6() throws {
        var connected = 0
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.bind(to: SocketAddress(host: "::1", port: 0))
            try listener.listen { listener, connection in
                try! connection.get().close()
                listener.close()
            }
            try #expect(listener.localAddress.description.hasPrefix("[::1]:"))
            try TCPHandle(on: loop).connect(to: listener.localAddress) { client, error in
                #expect(error == nil)
                #expect(try! client.remoteAddress.host == "::1")
                connected += 1
                client.close()
            }
        }
        #expect(connected == 1)
    }

    @Test func anImpossibleAddressIsAnErrorAtOnceOrLater() throws {
        var failed = 0
        try withLoop { loop in
            // The wrong family for a socket that exists already.
            let client = try TCPHandle(on: loop, family: .ipv4)
            do {
                try client.connect(to: SocketAddress(host: "::1", port: 9)) { client, error in
                    #expect(error != nil)
                    failed += 1
                    client.close()
                }
            } catch {
                failed += 1
                client.close()
            }
        }
        #expect(failed == 1)
    }

    @Test("N3: a connect that nobody answers ends once when it is closed")
    func unanswered() throws {
        var errors: [UVError?] = []
        try withLoop { loop in
            // The kernel drops the questions of clients that do not fit.
            let listener = try FileDescriptor.tcpListener(backlog: 0), port = try listener.localPort
            let filler = try (0..<4).map { _ in try TCPHandle(on: loop) }
            for handle in filler { try handle.connect(to: SocketAddress(host: "127.0.0.1", port: port)) { _, _ in } }
            let client = try TCPHandle(on: loop)
            try client.connect(to: SocketAddress(host: "127.0.0.1", port: port)) { _, error in errors.append(error) }
            try TimerHandle(on: loop).start(after: .milliseconds(50)) { timer in
                #expect(errors.isEmpty)
                try! timer.loop.closeAllHandles()
            }
            try loop.run()
            try listener.close()
        }
        #expect(errors.map(\.?.code) == [.canceled])
    }
}
