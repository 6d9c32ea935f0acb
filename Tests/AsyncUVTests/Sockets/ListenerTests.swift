import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing

/// `TCPListener`: bind, accept, connections, close.
@Suite(.ownThread) struct ListenerTests {
    @Test func bindAndAccept() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            #expect(listener.localAddress.port != 0 && listener.loop === loop)
            let near = try await TCPConnection.connect(to: listener)
            let far = try #require(try await listener.accept())
            let (nearAddress, farAddress) = (try await near.localAddress, try await far.localAddress)
            #expect(far.remoteAddress == nearAddress && farAddress == listener.localAddress)
            #expect(far.loop === loop)
            await listener.close()
        }
    }

    @Test func addressInUse() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            let port = listener.localAddress.port
            let error = await #expect(throws: UVError.self) {
                try await TCPListener.bind(host: "127.0.0.1", port: port)
            }
            #expect(error?.code == .addressInUse)
            #expect("\(try #require(error))".contains("bind of 127.0.0.1:\(port)"))
            await listener.close()
        }
    }

    @Test("B2: backlogs out of range; ports of privilege; addresses of others")
    func badArguments() throws {
        try onLoop { _ in
            for backlog in [0, -1, 1 << 31, Int.max, Int.min] {
                await expectError(.invalidArgument) {
                    try await TCPListener.bind(host: "127.0.0.1", port: 0, backlog: backlog)
                }
            }
            await expectError(.addressNotAvailable) {
                try await TCPListener.bind(host: "192.0.2.1", port: 0)
            }
            try await TCPListener.bind(host: "127.0.0.1", port: 0, backlog: 1).close()
        }
    }

    /// Other tests, which run meanwhile, don't take a port of this address when it is free again.
    private static let ownHost = "127.77.1.1"

    @Test func closeEndsAcceptAndTheSequence() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: Self.ownHost, port: 0)
            let accepting = loop.spawn { try await listener.accept() }
            let another = loop.spawn { try await listener.accept() }
            let sequence = loop.spawn { for try await _ in listener.connections {} }
            try await loop.waitUntilIdle()
            await listener.close()
            await listener.close()
            #expect(try await accepting.value == nil)
            #expect(try await another.value == nil)
            try await sequence.value
            #expect(try await listener.accept() == nil, "after the close too")
            let address = listener.localAddress
            await expectRefused(address)
        }
    }

    @Test func droppingTheListenerCloses() throws {
        try onLoop { loop in
            var address = SocketAddress.anyIPv4(port: 0)
            do { address = try await TCPListener.bind(host: Self.ownHost, port: 0).localAddress }
            let closed = address
            await expectRefused(closed)
            let listener = Shared(try await TCPListener.bind(host: Self.ownHost, port: 0) as TCPListener?)
            let other = try #require(listener.value?.localAddress)
            await Task.detached { listener.value = nil }.value
            try await loop.sleep(for: .milliseconds(1))
            await expectRefused(other)
        }
    }

    @Test("C1: accept cancelled while it waits, and before: no connection is lost")
    func cancelledAccept() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let waiting = loop.spawn { try await listener.accept() }
            try await loop.waitUntilIdle()
            let before = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await listener.accept()
            }
            waiting.cancel()
            before.cancel()
            #expect(await failure(of: waiting) is CancellationError)
            #expect(await failure(of: before) is CancellationError)
            let client = try await TCPConnection.connect(to: listener)
            let server = try #require(try await listener.accept())
            #expect(try await server.remoteAddress == client.localAddress)
            await listener.close()
        }
    }

    @Test("Accepts ahead of demand are bounded to 32")
    func acceptsAhead() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let clients = try (0..<200).map { _ in try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
            }
            try await loop.waitUntilIdle()
            let accepted = try await loop.withLoop { $0.handles.filter { $0.kind.name == "tcp" }.count } - 1
            #expect(accepted == 32)
            var servers: [TCPConnection] = []
            for _ in clients { servers.append(try #require(try await listener.accept())) }
            #expect(Set(servers.map(\.remoteAddress.port)).count == 200)
            for client in clients { try client.close() }
            await listener.close()
        }
    }

    @Test("Peers that have reset before they are accepted are not failures of the listener")
    func peersThatAreGone() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            for _ in 0..<10 { try FileDescriptor.tcpConnection(toPort: listener.localAddress.port).closeWithReset() }
            let client = try await TCPConnection.connect(to: listener)
            let address = try await client.localAddress
            while let connection = try await listener.accept() {
                if connection.remoteAddress == address { break }
            }
            await listener.close()
        }
    }

    @Test func acceptFromManyTasks() async throws {
        try await withOwnLoop { loop in
            let listener = try await TCPListener.onLoopback(on: loop)
            let address = listener.localAddress
            let ports = try await withThrowingTaskGroup(of: UInt16.self) { group in
                for _ in 0..<50 { group.addTask { try #require(try await listener.accept()).remoteAddress.port } }
                let clients = try await withThrowingTaskGroup(of: TCPConnection.self) { group in
                    for _ in 0..<50 { group.addTask { try await TCPConnection.connect(to: address, on: loop) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                var ports: Set<UInt16> = []
                for client in clients { ports.insert(try await client.localAddress.port) }
                return (try await group.reduce(into: Set()) { $0.insert($1) }, ports)
            }
            #expect(ports.0 == ports.1)
        }
    }

    @Test func printed() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            #expect("\(listener)" == "TCP listener on \(listener.localAddress)")
            let near = try await TCPConnection.connect(to: listener)
            #expect("\(near)" == "TCP connection with \(near.remoteAddress)")
            await near.close()
            #expect("\(near)".hasSuffix(" with \(listener.localAddress)"), "a closed one has its name still")
            await listener.close()
        }
    }

    @Test("A1: out of descriptors at accept: the listener tells, serves on and recovers")
    func outOfDescriptors() async throws {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            try await onThread {
                try EventLoop.run { loop in
                    let listener = try await TCPListener.onLoopback()
                    let errors = Shared<[String]>([])
                    let serving = loop.spawn {
                        try await listener.serve(onError: { error, peer in
                            errors.change { $0.append("\(error) \(peer as Any)") }
                        }) {
                            for try await chunk in $0 { try await $0.write(chunk) }
                        }
                    }
                    let held = try await TCPConnection.connect(to: listener)
                    try await held.write([1])
                    guard try await held.read() == [1] else { fatalError("no echo") }
                    // The clients' sockets exist before the limit comes; the servers' ones do not fit.
                    let clients = try (0..<10).map { _ in
                        try FileDescriptor.tcpConnection(toPort: listener.localAddress.port)
                    }
                    forbidDescriptors()
                    while errors.value.isEmpty { try await loop.sleep(for: .milliseconds(1)) }
                    guard errors.value[0].contains("EMFILE"), errors.value[0].hasSuffix("nil") else {
                        fatalError("\(errors.value)")
                    }
                    try await held.write([2])
                    guard try await held.read() == [2] else { fatalError("the others suffer") }
                    for client in clients { try client.close() }
                    limitDescriptors(to: 1_000)
                    let late = try await TCPConnection.connect(to: listener)
                    try await late.write([3])
                    guard try await late.read() == [3] else { fatalError("no recovery") }
                    await late.close()
                    await held.close()
                    await listener.close()
                    try await serving.value
                }
            }
        }
    }
}
