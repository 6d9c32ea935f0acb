import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@testable import AsyncUV

/// `TCPConnection.connect`, by address and by name.
@Suite(.ownThread) struct ConnectTests {
    @Test("N3: refused: the text names the address, no descriptor stays")
    func refused() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            let port = listener.localAddress.port
            await listener.close()
            await expectRefused(listener.localAddress)
            let error = await #expect(throws: UVError.self) {
                try await TCPConnection.connect(host: "127.0.0.1", port: port)
            }
            #expect(error?.code == .connectionRefused)
            #expect("\(try #require(error))".contains("connect of 127.0.0.1:\(port)"))
        }
    }

    @Test("A1: out of descriptors, a look-up says so, and not that there is no such host")
    func outOfDescriptors() async throws {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            try await onThread {
                try EventLoop.run { _ in
                    forbidDescriptors()
                    do {
                        _ = try await TCPConnection.connect(host: "localhost", port: 1)
                    } catch let error as UVError where error.code == .tooManyOpenFiles {
                        limitDescriptors(to: 1_000)
                        if error.description.hasSuffix("(EMFILE) in look-up of localhost") { return }
                        fatalError("\(error)")
                    }
                }
            }
        }
    }

    @Test("Local address and options, by address and by name; a listener's connections have its options")
    func localAddressAndOptions() throws {
        try onLoop { _ in
            let keepAlive = TCPKeepAlive(idle: .seconds(7), interval: .seconds(3), count: 2)
            let options = TCPOptions(
                noDelay: true, keepAlive: keepAlive, sendBufferSize: 40_000, receiveBufferSize: 30_000)
            let listener = try await TCPListener.bind(to: .loopback(port: 0), options: options)
            let local = try SocketAddress(host: "127.0.0.5", port: 0)
            let port = listener.localAddress.port
            for client in [
                try await TCPConnection.connect(to: .loopback(port: port), from: local, options: options),
                try await TCPConnection.connect(
                    host: "localhost", port: port, timeout: .seconds(1_000), from: local, options: options),
            ] {
                let server = try #require(try await listener.accept())
                #expect(try await client.localAddress.host == "127.0.0.5")
                #expect(server.remoteAddress.host == "127.0.0.5")
                for connection in [client, server] {
                    let socket = try await connection.withHandle { try $0.fileDescriptor }
                    #expect(socket.option(CInt(IPPROTO_TCP), TCP_NODELAY) == 1)
                    #expect(socket.option(CInt(IPPROTO_TCP), TCP_KEEPIDLE) == 7)
                    #expect(socket.option(CInt(IPPROTO_TCP), TCP_KEEPCNT) == 2)
                    #expect([40_000, 80_000].contains(try await connection.sendBufferSize))
                    #expect([30_000, 60_000].contains(try await connection.receiveBufferSize))
                }
            }
            await listener.close()
        }
    }

    @Test("Both sides of a connection send at once, unless they are told otherwise")
    func noDelay() throws {
        try onLoop { loop in
            func isOn(_ connection: TCPConnection) async throws -> Bool {
                try await connection.withHandle { try $0.fileDescriptor }.option(CInt(IPPROTO_TCP), TCP_NODELAY) != 0
            }
            let listener = try await TCPListener.onLoopback()
            let address = listener.localAddress
            for client in [
                try await TCPConnection.connect(to: address),
                try await TCPConnection.connect(host: "localhost", port: address.port, family: .ipv4),
                try await TCPConnection.connect(to: address, from: .loopback(port: 0)),
                try await TCPConnection.connect(to: address, options: TCPOptions(sendBufferSize: 40_000)),
            ] {
                #expect(try await isOn(client))
                let server = try #require(try await listener.accept())
                #expect(try await isOn(server))
            }
            let slow = try await TCPListener.bind(to: .loopback(port: 0), options: TCPOptions(noDelay: false))
            let client = try await TCPConnection.connect(to: slow.localAddress, options: TCPOptions(noDelay: false))
            let server = try #require(try await slow.accept())
            #expect(try await !isOn(client))
            #expect(try await !isOn(server))
            try await server.setNoDelay(enabled: true)
            #expect(try await isOn(server))
            // A listening socket of somebody else's.
            let descriptor = try FileDescriptor.tcpListener()
            let adopted = try await TCPListener.open(descriptor)
            let late = try await TCPConnection.connect(to: adopted.localAddress)
            let adoptedServer = try #require(try await adopted.accept())
            #expect(try await isOn(late))
            #expect(try await isOn(adoptedServer))
            for listener in [listener, slow, adopted] { await listener.close() }
        }
    }

    @Test("A family of addresses, by name and by number")
    func family() throws {
        try onLoop { _ in
            let listener = try await TCPListener.bind(host: "localhost", port: 0, family: .ipv4)
            #expect(listener.localAddress.family == .ipv4)
            let port = listener.localAddress.port
            let client = try await TCPConnection.connect(
                host: "localhost", port: port, family: .ipv4, timeout: .seconds(1_000))
            #expect(client.remoteAddress.family == .ipv4)
            for timeout in [nil, Duration.seconds(1_000)] {
                await expectError(.addressFamilyNotSupported) {
                    try await TCPConnection.connect(host: "127.0.0.1", port: port, family: .ipv6, timeout: timeout)
                }
            }
            await expectError(.addressFamilyNotSupported) {
                try await TCPListener.bind(host: "127.0.0.1", port: 0, family: .ipv6)
            }
            await listener.close()
        }
    }

    @Test("withConnection closes after its body, an error and a cancellation")
    func scoped() throws {
        try onLoop { loop in
            let listener = try await TCPListener.onLoopback()
            let address = listener.localAddress
            struct Failure: Error {}
            func isClosed(_ connection: TCPConnection) async -> Bool {
                do { try await connection.write([1]) } catch { return code(of: error) == .badFileDescriptor }
                return false
            }
            let first = try await TCPConnection.withConnection(to: address) { connection in
                try await connection.write([1])
                return connection
            }
            #expect(await isClosed(first))
            let second = Shared<TCPConnection?>(nil)
            await #expect(throws: Failure.self) {
                try await TCPConnection.withConnection(host: "127.0.0.1", port: address.port) { connection in
                    second.value = connection
                    throw Failure()
                }
            }
            #expect(await isClosed(try #require(second.value)))
            for isByName in [true, false] {
                await expectError(.timedOut) {
                    let timeout: Duration = .milliseconds(5)
                    if isByName {
                        try await TCPConnection.withConnection(
                            host: "127.0.0.1", port: address.port, idleTimeout: timeout
                        ) { _ = try await $0.read() }
                    } else {
                        try await TCPConnection.withConnection(to: address, idleTimeout: timeout) {
                            _ = try await $0.read()
                        }
                    }
                }
            }
            let reading = loop.spawn {
                try await TCPConnection.withConnection(to: address) { connection in
                    second.value = connection
                    _ = try await connection.read()
                }
            }
            try await loop.waitUntilIdle()
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            #expect(await isClosed(try #require(second.value)))
            await listener.close()
        }
    }

    @Test("A local address of the other family, of somebody else, and options out of range")
    func wrongLocalAddressOrOptions() throws {
        try onLoop { _ in
            let listener = try await TCPListener.onLoopback()
            let to = listener.localAddress
            await expectError(.addressFamilyNotSupported) {
                try await TCPConnection.connect(to: to, from: .loopbackIPv6(port: 0))
            }
            let foreign = try SocketAddress(host: "192.0.2.1", port: 0)
            await expectError(.addressNotAvailable) {
                try await TCPConnection.connect(to: to, from: foreign)
            }
            for bad in [TCPOptions(sendBufferSize: 0), TCPOptions(keepAlive: TCPKeepAlive(count: 0))] {
                await expectError(.invalidArgument) {
                    try await TCPConnection.connect(to: to, options: bad)
                }
                await expectError(.invalidArgument) {
                    try await TCPListener.bind(to: .loopback(port: 0), options: bad)
                }
            }
            await listener.close()
        }
    }

    @Test("A connect to an address has a timeout, too")
    func timeoutOfAnAddress() async throws {
        try await onLoopBesideFullBacklog { _, nobody in
            let error = await #expect(throws: UVError.self) {
                try await TCPConnection.connect(to: nobody, timeout: .milliseconds(20))
            }
            #expect(error?.code == .timedOut && error?.subject == "\(nobody)")
        }
    }

    @Test func byName() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let port = server.listener.localAddress.port
            let client = try await TCPConnection.connect(host: "localhost", port: port, timeout: .seconds(1_000))
            #expect(client.remoteAddress.port == port && loop.isCurrent)
            try await client.write([1])
            #expect(try await client.read() == [1])
            await client.close()
            try await server.end()
        }
    }

    @Test("B2: a timeout of any length, less than none included")
    func timeouts() async throws {
        try await onLoopBesideFullBacklog { _, nobody in
            let listener = try await TCPListener.onLoopback()
            let (host, port) = ("127.0.0.1", listener.localAddress.port)
            for timeout in [Duration.seconds(86_400 * 365 * 1_000), .seconds(Int64.max)] {
                await (try TCPConnection.connect(host: host, port: port, timeout: timeout)).close()
            }
            for timeout in [Duration.zero, .seconds(-1), .seconds(Int64.min)] {
                await expectError(.timedOut) {
                    try await TCPConnection.connect(host: nobody.host, port: nobody.port, timeout: timeout)
                }
            }
            await listener.close()
        }
    }

    @Test("N3: never answered: a typed timeout, not before its time, and no descriptor stays")
    func timeout() async throws {
        try await onLoopBesideFullBacklog { _, address in
            let start = LoopClock.Instant.now
            let error = await #expect(throws: UVError.self) {
                try await TCPConnection.connect(host: address.host, port: address.port, timeout: .milliseconds(50))
            }
            #expect(error?.code == .timedOut)
            #expect(error.map { "\($0)" }?.contains("connect of 127.0.0.1:\(address.port)") == true)
            #expect(start.duration(to: .now) >= .milliseconds(50))
        }
    }

    @Test("N3: a timeout tells what has failed until then; a name that is still looked up is named")
    func timeoutAfterFailures() async throws {
        try await onLoopBesideFullBacklog { loop, address in
            let refusing = try SocketAddress(host: "127.0.0.2", port: 1)
            var text = ""
            // A busy machine may need longer until the first has failed.
            for milliseconds in [20, 200, 2_000, 20_000] where !text.contains("connection refused") {
                let error = await #expect(throws: UVError.self) {
                    try await TCPConnection.connect(
                        "two.test", to: [refusing, address], until: .now.advanced(by: .milliseconds(milliseconds)),
                        on: loop)
                }
                #expect(error?.code == .timedOut)
                text = "\(error as Any)"
            }
            #expect(text.contains("connect of two.test (connection refused (ECONNREFUSED)"))
        }
    }

    @Test("C1: connect cancelled while it waits, and before")
    func cancellation() async throws {
        try await onLoopBesideFullBacklog { loop, address in
            let waiting = loop.spawn { try await TCPConnection.connect(to: address) }
            let named = loop.spawn { try await TCPConnection.connect(host: "localhost", port: address.port) }
            try await loop.waitUntilIdle()
            let before = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await TCPConnection.connect(to: address)
            }
            for task in [waiting, named, before] { task.cancel() }
            for task in [waiting, named, before] { #expect(await failure(of: task) is CancellationError) }
            try await loop.sleep(for: .milliseconds(1))
            #expect(
                try await loop.withLoop { $0.handles.filter { $0.kind.name == "tcp" && !$0.isClosing }.count } == 0)
        }
    }

    // MARK: Several addresses

    @Test("Families take turns, beginning with the first")
    func alternation() throws {
        func address(_ host: String) throws -> SocketAddress { try SocketAddress(host: host, port: 1) }
        let mixed = try ["::1", "::2", "::3", "1.1.1.1", "2.2.2.2"].map(address)
        #expect(ConnectRace.alternating(mixed).map(\.host) == ["::1", "1.1.1.1", "::2", "2.2.2.2", "::3"])
        let ipv4First = try ["1.1.1.1", "::1", "2.2.2.2"].map(address)
        #expect(ConnectRace.alternating(ipv4First).map(\.host) == ["1.1.1.1", "::1", "2.2.2.2"])
        #expect(ConnectRace.alternating([]) == [])
    }

    @Test("A dead first address: the second wins at once")
    func firstIsDead() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let dead = try SocketAddress(host: "127.0.0.2", port: server.listener.localAddress.port)
            let client = try await TCPConnection.connect(
                "two", to: [dead, server.listener.localAddress], delay: .seconds(1_000), on: loop)
            #expect(client.remoteAddress == server.listener.localAddress)
            await client.close()
            try await server.end()
        }
    }

    @Test("A silent first address: the second starts after the delay and wins; the first is closed")
    func firstIsSilent() async throws {
        try await onLoopBesideFullBacklog { loop, silent in
            let server = try await EchoServer(on: loop)
            let start = LoopClock.Instant.now
            let client = try await TCPConnection.connect(
                "two", to: [silent, silent, server.listener.localAddress], delay: .milliseconds(10), on: loop)
            #expect(start.duration(to: .now) >= .milliseconds(20))
            #expect(client.remoteAddress == server.listener.localAddress)
            try await client.write([1])
            #expect(try await client.read() == [1])
            await client.close()
            try await server.end()
        }
    }

    @Test("A slow first address is not given up when others fail before it answers")
    func slowIsNotAborted() throws {
        try onLoop { loop in
            // The queue takes one; the next waits for the kernel's second question, about a second later.
            let slow = try FileDescriptor.tcpListener(backlog: 0)
            let port = try slow.localPort
            let first = try FileDescriptor.tcpConnection(toPort: port)
            let address = try SocketAddress(host: "127.0.0.1", port: port)
            let dead = try SocketAddress(host: "127.0.0.2", port: 1)
            let connecting = loop.spawn {
                try await TCPConnection.connect("two", to: [address, dead, dead], delay: .milliseconds(5), on: loop)
            }
            try await loop.waitUntilIdle()
            let accepting = Task.detached { try await onThread { try slow.acceptOne() } }
            let client = try await connecting.value
            #expect(client.remoteAddress == address)
            await client.close()
            try await accepting.value.close()
            try first.close()
            try slow.close()
        }
    }

    @Test("All fail: every attempt stands in the text")
    func allFail() throws {
        try onLoop { loop in
            let dead = try ["127.0.0.2", "127.0.0.3", "::1"].map { try SocketAddress(host: $0, port: 1) }
            let error = await #expect(throws: UVError.self) {
                try await TCPConnection.connect("three.test", to: dead, on: loop)
            }
            let text = "\(try #require(error))"
            #expect(error?.code == .connectionRefused || error?.code == .addressNotAvailable)
            for part in ["three.test", "127.0.0.2:1", "127.0.0.3:1", "[::1]:1"] {
                #expect(text.contains(part), "\(text)")
            }
        }
    }

    @Test func manyAtOnce() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        let client = try await server.connect()
                        try await client.write([UInt8(number)])
                        #expect(try await client.read() == [UInt8(number)])
                    }
                }
                try await group.waitForAll()
            }
            try await server.end()
        }
    }
}
