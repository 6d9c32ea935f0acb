import Readiness
import SystemPackage
import Testing

@Suite struct SocketTests {
    private var buffer = [UInt8](repeating: 0, count: 16)

    @Test mutating func wouldBlockIsAValue() throws {
        let (near, far) = try Socket.pair(blocking: false)
        #expect(try near.receive(into: &buffer) == .wouldBlock)
        #expect(try near.fill() > 0)
        #expect(try near.send([1]) == .wouldBlock)
        _ = try far.drain()
        #expect(try near.send([1]) == .bytes(1))
        let listener = try Socket.listening(on: .anyLoopback, blocking: false)
        guard case .wouldBlock = try listener.accept(blocking: false) else { return #expect(Bool(false)) }
    }

    @Test mutating func theEndIsAValue() throws {
        let (near, far) = try Socket.pair()
        try far.send("bye")
        try far.shutdown(.sending)
        #expect(try near.receive(into: &buffer) == .bytes(3))
        #expect(buffer[0..<3] == Array("bye".utf8)[...])
        #expect(try near.receive(into: &buffer) == .end)
        #expect(try near.send("still open") == ())
    }

    @Test func sendingToNobodyIsAnErrorAndNotASignal() throws {
        var (near, far): (Socket, Socket?) = try Socket.pair()
        #expect(far != nil)
        far = nil
        #expect(throws: SystemError(.brokenPipe, in: "send")) { try near.send([1]) }
        near = try resetSocket()
        #expect(throws: SystemError(.connectionReset, in: "send")) { try near.send([1]) }
        #expect(throws: SystemError(.brokenPipe, in: "send")) { try near.send([1]) }
    }

    @Test func nothingToSendIsSent() throws {
        let (near, _far) = try Socket.pair()
        #expect(try near.send([]) == .bytes(0))
        try near.sendAll([])
        withExtendedLifetime(_far) {}
    }

    @Test func noRoomToReceiveIsAnError() throws {
        let (near, _far) = try Socket.pair()
        var none: [UInt8] = []
        #expect(throws: SystemError(.invalidArgument, in: "recv")) { try near.receive(into: &none) }
        withExtendedLifetime(_far) {}
    }

    @Test func sendAllOnANonBlockingSocketSaysSo() throws {
        let (near, _far) = try Socket.pair(blocking: false)
        #expect(throws: SystemError(.resourceTemporarilyUnavailable, in: "send")) {
            try near.sendAll([UInt8](repeating: 0, count: 16 << 20))
        }
        withExtendedLifetime(_far) {}
    }

    @Test(arguments: ["127.0.0.1", "::1", "localhost"]) func connectsAndNamesBothEnds(_ host: String) throws {
        let listener = try Socket.listening(on: Endpoint(host: host, port: 0))
        let endpoint = try #require(listener.localEndpoint)
        #expect(endpoint.port != 0)
        let near = try Socket.connected(to: endpoint)
        guard case .connection(let far) = try listener.accept(blocking: true) else { return #expect(Bool(false)) }
        #expect(near.remoteEndpoint == endpoint && far.localEndpoint == endpoint)
        #expect(far.remoteEndpoint == near.localEndpoint)
        #expect(listener.remoteEndpoint == nil)
    }

    @Test func connectsWithoutBlocking() throws {
        let listener = try Socket.listening(on: .anyLoopback)
        let near = try Socket(for: listener.localEndpoint!, blocking: false)
        if try !near.connect(to: listener.localEndpoint!) {
            var poller = try PollPoller()
            try poller.add(near.descriptor, .writable)
            while try poller.wait().isEmpty {}
        }
        try near.checkConnection()
        #expect(near.remoteEndpoint == listener.localEndpoint)
    }

    /// The port stays bound, by a socket that does not listen: nobody else can take it meanwhile.
    @Test func refusalNamesTheAddress() throws {
        let bound = try Socket(for: .anyLoopback)
        try bound.bind(to: .anyLoopback)
        let endpoint = bound.localEndpoint!
        let error = #expect(throws: SystemError.self) { try Socket.connected(to: endpoint) }
        #expect(error?.description == "connection refused (ECONNREFUSED) in connect of \(endpoint)")
        let near = try Socket(for: endpoint, blocking: false)
        do {
            if try !near.connect(to: endpoint) { try near.checkConnection() }
            Issue.record("connected")
        } catch { #expect(error.code == .connectionRefused) }
    }

    @Test func addressInUseNamesTheAddress() throws {
        let listener = try Socket.listening(on: .anyLoopback)
        let endpoint = listener.localEndpoint!
        let error = #expect(throws: SystemError.self) { try Socket.listening(on: endpoint) }
        #expect(error?.description == "address already in use (EADDRINUSE) in bind of \(endpoint)")
    }

    @Test func listenersMayShareAPort() throws {
        let first = try Socket.listening(on: .anyLoopback, sharesPort: true)
        let second = try Socket.listening(on: first.localEndpoint!, sharesPort: true)
        #expect(second.localEndpoint == first.localEndpoint)
    }

    @Test(arguments: ["", "nobody", "127.0.0.1\0", "1.2.3", "::g", "127.0.0.1 "]) func badHosts(_ host: String) {
        let error = #expect(throws: SystemError.self) { try Endpoint(host: host, port: 1) }
        #expect(error?.code == .invalidArgument)
    }

    @Test func optionsAreSetAndRead() throws {
        let socket = try Socket(for: .anyLoopback)
        #expect(try socket.get(.noDelay) == 0)
        try socket.set(.noDelay, to: 1)
        #expect(try socket.get(.noDelay) == 1)
        try socket.set(.sendBufferSize, to: 16_384)
        #expect(try socket.get(.sendBufferSize) == 32_768)
        let closed = Socket(adopting: -1)
        #expect(throws: SystemError(.badFileDescriptor, in: "setsockopt")) { try closed.set(.noDelay, to: 1) }
    }

    @Test func messagesKeepTheirBorders() throws {
        let (near, far) = try Socket.pair(messages: true)
        try far.send("one")
        try far.send("two")
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(try near.receive(into: &buffer) == .bytes(3))
        #expect(try near.receive(into: &buffer) == .bytes(3))
        #expect(buffer[0..<3] == Array("two".utf8)[...])
    }
}
