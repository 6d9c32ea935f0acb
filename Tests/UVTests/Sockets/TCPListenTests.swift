import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TCPListenTests {
    private let loopback = try! SocketAddress(host: "127.0.0.1", port: 0)

    @Test func portZeroGivesAPort() throws {
        try withLoop { loop in
            let first = try TCPHandle(on: loop)
            let second = try TCPHandle(on: loop)
            try first.bind(to: loopback)
            try second.bind(to: loopback)
            try #expect(first.localAddress.port != 0 && first.localAddress != second.localAddress)
            try loop.closeAllHandles()
        }
    }

    @Test("Guard: a port in use is an error of bind, not a listener on another port")
    func portInUse() throws {
        try withLoop { loop in
            let address = try TCPHandle.listening(on: loop) { _, _ in }.localAddress
            let second = try TCPHandle(on: loop)
            expectError(.addressInUse) { try second.bind(to: address) }
            expectError(.badFileDescriptor) { try second.localAddress }
            // A refused bind leaves the handle as it was.
            try second.bind(to: loopback)
            try #expect(second.localAddress.port != address.port)
            try loop.closeAllHandles()
        }
    }

    @Test("Of two that are bound to a port, one listens and the other is told")
    func boundTwice() throws {
        try withLoop { loop in
            let first = try TCPHandle(on: loop)
            let second = try TCPHandle(on: loop)
            try first.bind(to: loopback)
            try second.bind(to: first.localAddress)
            try first.listen { _, _ in }
            let error = #expect(throws: UVError.self) { try second.listen { _, _ in } }
            try #expect(error?.description.hasSuffix("(EADDRINUSE) in listen of \(first.localAddress)") == true)
            try loop.closeAllHandles()
        }
    }

    @Test func aSecondBindIsAnError() throws {
        try withLoop { loop in
            let handle = try TCPHandle(on: loop)
            try handle.bind(to: loopback)
            let address = try handle.localAddress
            expectError(.invalidArgument) { try handle.bind(to: loopback) }
            try #expect(handle.localAddress == address)
            handle.close()
        }
    }

    @Test func anAddressOfAnotherMachineIsAnError() throws {
        try withLoop { loop in
            let handle = try TCPHandle(on: loop)
            let error = #expect(throws: UVError.self) {
                try handle.bind(to: SocketAddress(host: "192.0.2.1", port: 7))
            }
            #expect(error?.code == .addressNotAvailable && error?.subject == "192.0.2.1:7")
            handle.close()
        }
    }

    @Test func aPortIsFreeAgainAfterTheClose() throws {
        try withLoop { loop in
            let (first, far) = (
                try TCPHandle.listening(on: loop) { listener, connection in
                    try! connection.get().close()
                    listener.close()
                }, try TCPHandle(on: loop)
            )
            let address = try first.localAddress
            try far.connect(to: address) { far, _ in
                try! far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
            }
            try loop.run()
            // The old connection is in TIME_WAIT.
            let second = try TCPHandle(on: loop)
            try second.bind(to: address)
            try second.listen { _, _ in }
            second.close()
        }
    }

    @Test func listenWithoutBindTakesAnyPort() throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.listen { listener, connection in
                accepted += 1
                try! connection.get().close()
                listener.close()
            }
            let address = try listener.localAddress
            #expect(address.host == "0.0.0.0" && address.port != 0)
            try TCPHandle(on: loop).connect(to: SocketAddress(host: "127.0.0.1", port: address.port)) { client, error in
                #expect(error == nil)
                client.close()
            }
        }
        #expect(accepted == 1)
    }

    @Test func aSecondListenIsAnError() throws {
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { _, _ in }
            expectError(.alreadyInProcess) { try listener.listen { _, _ in } }
            listener.close()
        }
    }

    @Test("B2: backlogs out of range are errors", arguments: [0, -1, 1 << 31, Int.min, Int.max])
    func backlog(_ backlog: Int) throws {
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.bind(to: loopback)
            let error = #expect(throws: UVError.self) { try listener.listen(backlog: backlog) { _, _ in } }
            #expect(error?.code == .invalidArgument && error?.subject == "a backlog of \(backlog)")
            #expect(!listener.isActive)
            try listener.listen(backlog: 1) { _, _ in }
            listener.close()
        }
    }

    @Test("B2: the largest backlog is taken") func largestBacklog() throws {
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.listen(backlog: Int(CInt.max)) { _, _ in }
            listener.close()
        }
    }

    @Test("An IPv6 listener takes IPv4 too, unless it is IPv6 only", arguments: [false, true])
    func dualStack(_ ipv6Only: Bool) throws {
        var peers: [String] = []
        var refused = 0
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.bind(to: .anyIPv6(port: 0), ipv6Only: ipv6Only)
            try listener.listen { listener, connection in
                let server = try! connection.get()
                peers.append(try! server.remoteAddress.host)
                server.close()
                if peers.count + refused == 2 { listener.close() }
            }
            let port = try listener.localAddress.port
            for host in ["127.0.0.1", "::1"] {
                try TCPHandle(on: loop).connect(to: SocketAddress(host: host, port: port)) { client, error in
                    if error != nil { refused += 1 }
                    client.close()
                    if peers.count + refused == 2 { listener.close() }
                }
            }
        }
        #expect(Set(peers) == (ipv6Only ? ["::1"] : ["::1", "::ffff:127.0.0.1"]))
        #expect(refused == (ipv6Only ? 1 : 0))
    }

    @Test func ipv4AndIPv6OnlyShareAPort() throws {
        try withLoop { loop in
            let four = try TCPHandle(on: loop)
            let six = try TCPHandle(on: loop)
            try four.bind(to: .anyIPv4(port: 0))
            try six.bind(to: .anyIPv6(port: four.localAddress.port), ipv6Only: true)
            try loop.closeAllHandles()
        }
    }

    @Test("reusePort: two listeners share a port and both get connections")
    func reusePort() throws {
        var accepted = [0, 0]
        try withLoop { loop in
            let listeners = try [TCPHandle(on: loop), TCPHandle(on: loop)]
            let alone = try TCPHandle(on: loop)
            try listeners[0].bind(to: loopback, reusePort: true)
            let address = try listeners[0].localAddress
            try listeners[1].bind(to: address, reusePort: true)
            for index in 0...1 {
                try listeners[index].listen { _, connection in
                    accepted[index] += 1
                    try! connection.get().close()
                    if accepted.reduce(0, +) == 64 { try? loop.closeAllHandles() }
                }
            }
            expectError(.addressInUse) { try alone.bind(to: address) }
            for _ in 0..<64 { try TCPHandle(on: loop).connect(to: address) { client, _ in client.close() } }
        }
        #expect(accepted.reduce(0, +) == 64 && !accepted.contains(0))
    }

    @Test func pausedConnectionsWaitInTheKernel() throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                accepted += 1
                try! connection.get().close()
                if accepted == 1 { listener.pauseAccepting() }
                if accepted == 3 { listener.close() }
            }
            let port = try listener.localAddress.port
            let clients = try (0..<3).map { _ in try FileDescriptor.tcpConnection(toPort: port) }
            for _ in 0..<5 { try loop.run(.noWait) }
            #expect(accepted == 1)
            #expect(!listener.isActive)
            listener.pauseAccepting()
            try listener.resumeAccepting()
            try listener.resumeAccepting()
            #expect(listener.isActive)
            try loop.run()
            for client in clients { try client.close() }
        }
        #expect(accepted == 3)
    }

    @Test func pauseAndResumeAreHarmlessWithoutAListener() throws {
        try withLoop { loop in
            let handle = try TCPHandle(on: loop)
            handle.pauseAccepting()
            try handle.resumeAccepting()
            handle.close()
        }
    }

    @Test("Simultaneous accepts off: one connection a turn", arguments: [true, false])
    func simultaneousAccepts(_ many: Bool) throws {
        var accepted = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { _, connection in
                accepted += 1
                try! connection.get().close()
            }
            try listener.setSimultaneousAccepts(enabled: many)
            let port = try listener.localAddress.port
            let clients = try (0..<4).map { _ in try FileDescriptor.tcpConnection(toPort: port) }
            try loop.run(.once)
            #expect(accepted == (many ? 4 : 1))
            while accepted < 4 { try loop.run(.once) }
            listener.close()
            for client in clients { try client.close() }
        }
    }

    @Test func anAcceptedConnectionThatNobodyKeepsIsTheLoops() throws {
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, _ in listener.close() }
            let client = try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            try loop.run()
            #expect(loop.handles.count == 1)
            try loop.closeAllHandles()
            try loop.run()
            try #expect(client.readToEnd().isEmpty)
            try client.close()
        }
    }
}
