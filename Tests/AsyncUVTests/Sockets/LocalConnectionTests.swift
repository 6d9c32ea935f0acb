import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Local sockets of the async layer. What they share with TCP is tested there.
@Suite(.ownThread) struct LocalConnectionTests {
    /// A server that echoes, and a client of it.
    private func withEcho(
        idleTimeout: Duration? = nil,
        _ body: @escaping @Sendable (EventLoop, LocalListener, LocalConnection) async throws -> Void
    ) throws {
        try inSocketFolder { folder in
            try onLoop { loop in
                let listener = try await LocalListener.bind(path: folder.appending("s"))
                let serving = loop.spawn {
                    try await listener.serve(idleTimeout: idleTimeout) { connection in
                        for try await chunk in connection { try await connection.write(chunk) }
                    }
                }
                let client = try await LocalConnection.connect(to: listener.localAddress)
                try await body(loop, listener, client)
                await client.close()
                await listener.close()
                try await serving.value
            }
            #expect(try names(in: folder).isEmpty)
        }
    }

    @Test("serve, reads, writes, lines, a half-close and a copy work as on TCP") func echo() throws {
        try withEcho { loop, listener, client in
            try await client.write("one\ntwo\n")
            #expect(try await client.readLine() == "one")
            #expect(try await client.readLine() == "two")
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let writing = loop.spawn {
                try await client.write(bytes)
                try await client.finishWriting()
            }
            var received: [UInt8] = []
            for try await chunk in client { received += chunk }
            try await writing.value
            let isWhole = received == bytes
            #expect(isWhole)
            let other = try await LocalConnection.connect(to: listener.localAddress)
            let (near, far) = try await LocalConnection.pair()
            let relaying = loop.spawn { try await near.relay(with: other) }
            try await far.write([1, 2, 3])
            #expect(try await far.read(exactly: 3) == [1, 2, 3])
            await far.close()
            _ = await relaying.result
            await near.close()
            await other.close()
        }
    }

    @Test func addressesCredentialsAndDescriptions() throws {
        try inSocketFolder { folder in
            try onLoop { loop in
                let path = folder.appending("s")
                let listener = try await LocalListener.bind(path: path)
                let client = try await LocalConnection.connect(path: path)
                let server = try #require(try await listener.accept())
                #expect(listener.localAddress.path == path && "\(listener)" == "local listener on \(path)")
                #expect(client.remoteAddress.path == path && server.remoteAddress.isUnnamed)
                #expect(try await client.localAddress.isUnnamed)
                #expect(try await server.localAddress.path == path)
                for peer in [client.peerCredentials, server.peerCredentials] {
                    #expect(peer.processID == getpid() && peer.user == geteuid() && peer.group == getegid())
                }
                #expect("\(client)" == "local connection with \(path)")
                #expect("\(server)" == "local connection with process \(getpid()) of user \(geteuid())")
                await client.close()
                await server.close()
                await expectError(.badFileDescriptor) { try await server.localAddress }
                try FileDescriptor.localConnection(to: path).close()
                let left = try #require(try await listener.accept())
                #expect(try await left.read() == nil)
                let error = await #expect(throws: UVError.self) { try await left.write([1]) }
                #expect(error?.code == .brokenPipe && error?.subject == "\(left.peerCredentials)")
                await left.close()
                await listener.close()
            }
        }
    }

    #if os(Linux)
    @Test func abstractNames() throws {
        try onLoop { loop in
            let address = try LocalAddress(abstract: "uv-async-\(getpid())")
            await expectError(.connectionRefused) { try await LocalConnection.connect(to: address) }
            let listener = try await LocalListener.bind(to: address)
            await expectError(.addressInUse) { try await LocalListener.bind(to: address) }
            await expectError(.addressInUse) { try await LocalListener.bind(to: address, replacingStale: true) }
            try await LocalConnection.withConnection(to: address) { client in
                let server = try #require(try await listener.accept())
                try await server.write([1])
                #expect(try await client.read() == [1])
                #expect(client.remoteAddress == address && client.remoteAddress.abstractName != nil)
                await server.close()
            }
            await listener.close()
        }
    }
    #endif

    @Test("I1: a path that is too long is refused by name; no shortened file appears", arguments: [108, 200, 10_000])
    func tooLong(_ count: Int) throws {
        try inSocketFolder { folder in
            let path = folder.appending(String(repeating: "x", count: count - folder.string.utf8.count - 1))
            try onLoop { loop in
                await expectError(.fileNameTooLong) { try await LocalListener.bind(path: path) }
                await expectError(.fileNameTooLong) { try await LocalListener.bind(path: path, replacingStale: true) }
                await expectError(.fileNameTooLong) { try await LocalConnection.connect(path: path) }
            }
            #expect(try names(in: folder).isEmpty)
        }
    }

    @Test func whatCannotBeConnectedSaysWhy() throws {
        try inSocketFolder { folder in
            try FileDescriptor.localSocket(at: folder.appending("stale")).close()
            try onLoop { loop in
                await expectError(.noSuchFileOrDirectory) {
                    try await LocalConnection.connect(path: folder.appending("s"))
                }
                await expectError(.connectionRefused) {
                    try await LocalConnection.connect(path: folder.appending("stale"))
                }
                await expectError(.destinationAddressRequired) { try await LocalConnection.connect(to: .unnamed) }
                await expectError(.invalidArgument) {
                    try await LocalConnection.connect(path: folder.appending("stale"), idleTimeout: .zero)
                }
                await expectError(.invalidArgument) {
                    try await LocalListener.bind(path: folder.appending("b"), backlog: 0)
                }
                try #expect(names(in: folder) == ["stale"])
            }
        }
    }

    @Test("A file is sent over a local socket", .solePool, arguments: [0, 5_000_000]) func fileSend(_ count: Int) throws
    {
        try withEcho { loop, listener, client in
            let path = FilePath("/tmp/uv-local-file-\(getpid())-\(UInt32.random(in: 0 ... .max))-\(count)")
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try path.put(bytes)
            let file = try await File.open(path)
            let sending = loop.spawn {
                let sent = try await file.send(to: client)
                try await client.finishWriting()
                return sent
            }
            var received: [UInt8] = []
            for try await chunk in client { received += chunk }
            #expect(try await sending.value == Int64(count))
            let isWhole = received == bytes
            #expect(isWhole)
            try await file.close()
            try await FileSystem.remove(path)
        }
    }

    @Test("Timeouts and draining are those of all connections") func limits() throws {
        try withEcho(idleTimeout: .milliseconds(100 * patience)) { loop, listener, client in
            await expectError(.timedOut) { try await client.read(timeout: .milliseconds(5)) }
            // The server's idle timeout.
            try await #expect(client.read() == nil)
        }
        try inSocketFolder { folder in
            try onLoop { loop in
                let listener = try await LocalListener.bind(path: folder.appending("s"))
                let serving = loop.spawn {
                    try await listener.serve { connection in
                        while let line = try await connection.readLine(untilDraining: true) {
                            try await connection.write(line)
                        }
                    }
                }
                let client = try await LocalConnection.connect(to: listener.localAddress, idleTimeout: .seconds(50))
                #expect(try #require(try await client.idleTimeout) >= .seconds(50))
                try await client.write("a\n")
                #expect(try await client.read() == [97])
                await listener.close()
                #expect(try await client.read() == nil)
                try await serving.value
                await client.close()
            }
        }
    }

    @Test("C1: a cancelled read, accept and connect end at once, and nothing is lost") func cancellation() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let full = try FileDescriptor.localSocket(at: folder.appending("full"), backlog: 0)
            let first = try FileDescriptor.localConnection(to: folder.appending("full"))
            try onLoop { loop in
                let listener = try await LocalListener.bind(path: path)
                let accepting = loop.spawn { try await listener.accept() }
                try await loop.waitUntilIdle()
                accepting.cancel()
                #expect(await failure(of: accepting) is CancellationError)
                let client = try await LocalConnection.connect(path: path)
                let server = try #require(try await listener.accept())
                let reading = loop.spawn { try await server.read() }
                try await loop.waitUntilIdle()
                reading.cancel()
                #expect(await failure(of: reading) is CancellationError)
                try await client.write([1])
                #expect(try await server.read() == [1])
                for isWaiting in [false, true] {
                    let connecting = loop.spawn {
                        try await LocalConnection.connect(path: folder.appending("full"))
                    }
                    if isWaiting { try await loop.sleep(for: .milliseconds(5)) }
                    connecting.cancel()
                    #expect(await failure(of: connecting) is CancellationError)
                }
                let cancelled = loop.spawn {
                    cancelTask()
                    await #expect(throws: CancellationError.self) { try await LocalConnection.connect(path: path) }
                    await #expect(throws: CancellationError.self) {
                        try await LocalListener.bind(path: folder.appending("t"))
                    }
                    await #expect(throws: CancellationError.self) { try await LocalConnection.open(.standardInput) }
                    await #expect(throws: CancellationError.self) { try await LocalListener.open(.standardInput) }
                    await #expect(throws: CancellationError.self) { try await LocalChannel.open(.standardInput) }
                    await #expect(throws: CancellationError.self) { try await TCPConnection.open(.standardInput) }
                }
                try await cancelled.value
                for connection in [client, server] { await connection.close() }
                await listener.close()
                #expect(try names(in: folder) == ["full"])
            }
            try first.close()
            try full.close()
        }
    }

    private func cancelTask() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }

    #if os(Linux)
    @Test("A client whose listener's queue is full waits for room, no longer than it wants to") func fullQueue() throws
    {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let listener = try FileDescriptor.localSocket(at: path, backlog: 0)
            let first = try FileDescriptor.localConnection(to: path)
            try onLoop { loop in
                let error = await #expect(throws: UVError.self) {
                    try await LocalConnection.connect(path: path, timeout: .milliseconds(20))
                }
                #expect(error?.code == .timedOut && error?.subject?.hasPrefix(path.string) == true)
                await expectError(.timedOut) { try await LocalConnection.connect(path: path, timeout: .zero) }
                let connecting = loop.spawn { try await LocalConnection.connect(path: path) }
                try await loop.sleep(for: .milliseconds(5))
                try listener.acceptOne().close()
                let client = try await connecting.value
                try listener.acceptOne().closeAfter {}
                #expect(try await client.read() == nil)
                await client.close()
            }
            try first.close()
            try listener.close()
        }
    }
    #endif

    @Test("Sockets from elsewhere go on; what cannot be taken over stays the caller's") func open() throws {
        try onLoop { loop in
            var sockets: [CInt] = [0, 0]
            #expect(unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &sockets) == 0)
            let near = try await LocalConnection.open(FileDescriptor(rawValue: sockets[0]))
            let far = try await LocalConnection.open(PassedDescriptor(FileDescriptor(rawValue: sockets[1])))
            try await near.write([1])
            #expect(try await far.read() == [1])
            await near.close()
            await far.close()
            let file = unsafe try FileDescriptor.open("/proc/self/exe", .readOnly)
            await expectError(.notSocket) { try await LocalConnection.open(file) }
            let passed = PassedDescriptor(file)
            await expectError(.notSocket) { try await LocalConnection.open(passed) }
            await expectError(.notSocket) { try await TCPConnection.open(passed) }
            await expectError(.notSocket) { try await TCPListener.open(passed) }
            await expectError(.notSocket) { try await LocalListener.open(passed) }
            #expect(passed.take() == file)
            await expectError(.badFileDescriptor) { try await LocalConnection.open(passed) }
            try file.close()
            let lonely = FileDescriptor(rawValue: socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0))
            await expectError(.socketNotConnected) { try await LocalConnection.open(lonely) }
            let (one, peer) = try FileDescriptor.tcpPair()
            await expectError(.protocolWrongTypeForSocket) { try await LocalConnection.open(one) }
            await expectError(.protocolWrongTypeForSocket) { try await LocalListener.open(one) }
            let connection = try await TCPConnection.open(one)
            try await connection.write([2])
            #expect(try peer.read(upTo: 1) == [2])
            await connection.close()
            try peer.close()
        }
    }
}
