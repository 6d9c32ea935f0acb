import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Descriptors that are passed, in the async layer.
@Suite(.ownThread) struct LocalChannelTests {
    /// The two ends of a pipe.
    private func pipe() throws -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) { try PipeHandle.pipe() }

    @Test("Messages keep their boundaries; the end is nil") func messages() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            #expect("\(near)" == "local channel with process \(getpid()) of user \(geteuid())")
            for count in [1, 1_000, 60_000] { try await near.send([UInt8](repeating: 1, count: count)) }
            for count in [1, 1_000, 60_000] { #expect(try await far.receive()?.bytes.count == count) }
            let receiving = loop.spawn { try await far.receive()?.bytes }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await far.receive() }
            try await near.send([7])
            #expect(try await receiving.value == [7])
            await expectError(.timedOut) { try await far.receive(timeout: .milliseconds(5)) }
            await expectError(.invalidArgument) { try await near.send([]) }
            await expectError(.messageTooLong) { try await near.send([UInt8](repeating: 1, count: 16 << 20)) }
            await near.close()
            await near.close()
            #expect(try await far.receive()?.bytes == nil)
            #expect(try await far.receive()?.bytes == nil)
            await expectError(.brokenPipe) { try await far.send([1]) }
            await far.close()
            await expectError(.badFileDescriptor) { try await far.send([1]) }
            await expectError(.badFileDescriptor) { try await far.receive() }
        }
    }

    @Test("A passed TCP connection goes on as one, and its sender's close does not end it") func tcpConnection() throws
    {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            let (connection, peer) = try await plainPeerPair()
            try peer.writeAll([1, 2])
            try await near.send([5], handingOver: connection)
            await expectError(.badFileDescriptor) { try await connection.write([1]) }
            await connection.close()
            let message = try #require(try await far.receive())
            #expect(message.bytes == [5] && message.descriptors.map(\.kind) == [.tcpConnection])
            let passed = try await TCPConnection.open(message.descriptors[0])
            #expect(try await passed.read(exactly: 2) == [1, 2])
            try await passed.write([3])
            #expect(try peer.read(upTo: 1) == [3])
            await expectError(.badFileDescriptor) { try await TCPConnection.open(message.descriptors[0]) }
            await passed.close()
            #expect(try peer.readToEnd() == [])
            try peer.close()
            await near.close()
            await far.close()
        }
    }

    @Test("Passed listeners go on as such; both sides accept") func listeners() throws {
        try inSocketFolder { folder in
            try onLoop { loop in
                let (near, far) = try await LocalChannel.pair()
                let tcp = try await TCPListener.onLoopback()
                let local = try await LocalListener.bind(path: folder.appending("s"))
                try await near.send([1], sharing: tcp)
                try await near.send([2], sharing: local)
                let first = try #require(try await far.receive())
                let second = try #require(try await far.receive())
                #expect(first.descriptors.map(\.kind) == [.tcpListener])
                #expect(second.descriptors.map(\.kind) == [.localListener])
                let sharedTCP = try await TCPListener.open(first.descriptors[0])
                let sharedLocal = try await LocalListener.open(second.descriptors[0])
                #expect(sharedTCP.localAddress == tcp.localAddress && sharedLocal.localAddress == local.localAddress)
                await tcp.close()
                let client = try await TCPConnection.connect(to: sharedTCP.localAddress)
                let server = try #require(try await sharedTCP.accept())
                await sharedLocal.close()
                #expect(try names(in: folder) == ["s"], "the file is its maker's")
                let localClient = try await LocalConnection.connect(to: local.localAddress)
                let localServer = try #require(try await local.accept())
                for connection in [client, server] { await connection.close() }
                for connection in [localClient, localServer] { await connection.close() }
                await sharedTCP.close()
                await local.close()
                await near.close()
                await far.close()
            }
        }
    }

    @Test("64 descriptors at once, both ways, in order") func many() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            for (from, to) in [(near, far), (far, near)] {
                let pipes = try (0..<32).map { _ in try pipe() }
                let all = pipes.flatMap { [$0.readEnd, $0.writeEnd] }
                try await from.send([1], descriptors: all)
                for descriptor in all { try descriptor.close() }
                let message = try #require(try await to.receive())
                let taken = message.descriptors.compactMap { $0.take() }
                #expect(taken.count == 64)
                for index in 0..<32 {
                    try taken[2 * index + 1].writeAll([UInt8(index)])
                    #expect(try taken[2 * index].read(upTo: 2) == [UInt8(index)])
                }
                for descriptor in taken { try descriptor.close() }
            }
            await near.close()
            await far.close()
        }
    }

    @Test("Descriptors that nobody takes are closed: in a message, in a closed channel, with a dropped one")
    func untaken() throws {
        try onLoop { loop in
            let (readEnd, writeEnd) = try pipe()
            let descriptors = [FileDescriptor](repeating: writeEnd, count: 64)
            func drop() async throws {
                let (near, far) = try await LocalChannel.pair()
                try await near.send([1], descriptors: descriptors)
                try await near.send([1], descriptors: descriptors)
                _ = try await far.receive()
            }
            try await drop()
            let (near, far) = try await LocalChannel.pair()
            try await near.send([1], descriptors: descriptors)
            await far.close()
            await near.close()
            // Ordinary reads take no descriptors.
            let (one, other) = try await LocalConnection.pair()
            let channel = try await LocalChannel.open(one)
            try await channel.send([1, 2], descriptors: descriptors)
            #expect(try await other.read(exactly: 2) == [1, 2])
            await channel.close()
            await other.close()
            try writeEnd.close()
            #expect(try await onThread { try readEnd.readToEnd() } == [])
            try readEnd.close()
        }
    }

    @Test("A peer that ends without having taken all is a reset; what it sent is still there") func reset() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            try await far.send([1])
            try await near.send([2])
            await far.close()
            try await loop.waitUntilIdle()
            await expectError(.connectionReset) { try await near.receive() }
            #expect(try await near.receive()?.bytes == [1])
            #expect(try await near.receive()?.bytes == nil)
            await near.close()
        }
    }

    @Test("C1: cancelled and timed-out waits lose nothing; messages of many tasks all arrive") func waits() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            let receiving = loop.spawn { try await far.receive() }
            try await loop.waitUntilIdle()
            receiving.cancel()
            #expect(await failure(of: receiving) is CancellationError)
            // More than the socket takes.
            let senders = (0..<200).map { number in
                loop.spawn {
                    try await near.send([UInt8(number)] + [UInt8](repeating: 0, count: 20_000))
                }
            }
            try await loop.sleep(for: .milliseconds(5))
            await expectError(.timedOut) { try await near.send([255], timeout: .milliseconds(5)) }
            senders[199].cancel()
            #expect(await failure(of: senders[199]) is CancellationError)
            var numbers: [Int] = []
            for _ in 0..<199 {
                if let message = try await far.receive() { numbers.append(Int(message.bytes[0])) }
            }
            #expect(numbers == Array(0..<199))
            for sender in senders[..<199] { try await sender.value }
            await expectError(.timedOut) { try await far.receive(timeout: .zero) }
            let closing = loop.spawn { try await far.receive() }
            try await loop.waitUntilIdle()
            await far.close()
            #expect(code(of: await failure(of: closing)) == .canceled)
            await near.close()
        }
    }

    @Test("Over a stream a large message arrives whole, also when its sender was cancelled") func stream() throws {
        try onLoop { loop in
            let (one, other) = try await LocalConnection.pair()
            let near = try await LocalChannel.open(one)
            let far = try await LocalChannel.open(other)
            let (readEnd, writeEnd) = try pipe()
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let sending = loop.spawn { try await near.send(bytes, descriptors: [writeEnd, readEnd]) }
            let next = loop.spawn { try await near.send([1, 2, 3]) }
            try await loop.sleep(for: .milliseconds(5))
            sending.cancel()
            #expect(await failure(of: sending) is CancellationError)
            var received: [UInt8] = []
            var passed: [PassedDescriptor] = []
            while received.count < bytes.count + 3, let message = try await far.receive() {
                received += message.bytes
                passed += message.descriptors
            }
            let isWhole = received == bytes + [1, 2, 3]
            #expect(isWhole)
            #expect(passed.map { $0.take() }.compactMap { $0?.inode } == [writeEnd.inode, readEnd.inode])
            try await next.value
            try readEnd.close()
            try writeEnd.close()
            await near.close()
            await far.close()
        }
    }

    @Test("A connection with bytes that would stay behind is not handed over, and goes on here") func resourceBusy()
        throws
    {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            let (connection, peer) = try await plainPeerPair()
            try peer.writeAll(Array("one\ntwo\n".utf8))
            #expect(try await connection.readLine() == "one")
            await expectError(.resourceBusy) { try await near.send([1], handingOver: connection) }
            #expect(try await connection.readLine() == "two")
            let reading = loop.spawn { try await connection.readLine() }
            try await loop.waitUntilIdle()
            await expectError(.resourceBusy) { try await near.send([1], handingOver: connection) }
            try peer.writeAll(Array("three\n".utf8))
            #expect(try await reading.value == "three")
            // All taken: bytes that come later go with the socket.
            try await near.send([1], handingOver: connection)
            try peer.writeAll([4])
            let message = try #require(try await far.receive())
            let passed = try await TCPConnection.open(message.descriptors[0])
            #expect(try await passed.read() == [4])
            await passed.close()
            try peer.close()
            await near.close()
            await far.close()
        }
    }

    @Test("A failed send leaves the connection") func failedSend() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            let (connection, peer) = try await plainPeerPair()
            await far.close()
            try await loop.waitUntilIdle()
            await expectError(.brokenPipe) { try await near.send([1], handingOver: connection) }
            try await connection.write([1])
            #expect(try peer.read(upTo: 1) == [1])
            await connection.close()
            try peer.close()
            await near.close()
        }
    }

    @Test("C1: a cancelled task sends nothing, hands nothing over and receives nothing") func cancelled() throws {
        try onLoop { loop in
            let (near, far) = try await LocalChannel.pair()
            let (connection, peer) = try await plainPeerPair()
            try await far.send([3])
            let cancelled = loop.spawn {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                await #expect(throws: CancellationError.self) { try await near.send([1]) }
                await #expect(throws: CancellationError.self) { try await near.send([1], handingOver: connection) }
                await #expect(throws: CancellationError.self) { try await near.receive() }
            }
            try await cancelled.value
            #expect(try await near.receive()?.bytes == [3])
            await expectError(.timedOut) { try await far.receive(timeout: .zero) }
            try await connection.write([1])
            #expect(try peer.read(upTo: 1) == [1])
            await connection.close()
            try peer.close()
            await near.close()
            await far.close()
        }
    }

    @Test("What is no local socket is refused and stays the caller's") func refused() throws {
        try onLoop { loop in
            let (readEnd, writeEnd) = try pipe()
            await expectError(.notSocket) { try await LocalChannel.open(readEnd) }
            let (one, other) = try FileDescriptor.tcpPair()
            await #expect(throws: UVError.self) { try await LocalChannel.open(one) }
            let datagrams = FileDescriptor(rawValue: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
            await #expect(throws: UVError.self) { try await LocalChannel.open(datagrams) }
            for descriptor in [readEnd, writeEnd, one, other, datagrams] { try descriptor.close() }
        }
    }

    @Test("K1: the end of the loop ends what waits, and closes the channel") func loopEnds() async throws {
        let loop = try EventLoop()
        let (near, descriptor) = try await LocalChannel.pairWithDescriptor(on: loop)
        let receiving = Task { try await near.receive() }
        try await loop.waitUntilIdle(waits: 1)
        await loop.shutdown()
        #expect(code(of: await failure(of: receiving)) == .canceled)
        // Children that other tests have just started hold a copy of the socket until they become another program: the read waits.
        #expect(fcntl(descriptor.rawValue, F_SETFL, 0) == 0)
        #expect(try await onThread { try descriptor.closeAfter { try descriptor.readToEnd() } } == [])
        await expectError(.canceled) { try await near.receive() }
        await expectError(.canceled) { try await near.send([1]) }
    }

    @Test("From a task that runs elsewhere") func elsewhere() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await LocalChannel.pair(on: loop)
            for number in 0..<50 {
                try await near.send([UInt8(number)])
                #expect(try await far.receive()?.bytes == [UInt8(number)])
            }
            let (connection, peer) = try await plainPeerPair(on: loop)
            try await near.send([1], handingOver: connection)
            let message = try #require(try await far.receive())
            let passed = try await TCPConnection.open(message.descriptors[0], on: loop)
            try await passed.write([2])
            #expect(try peer.read(upTo: 1) == [2])
            await passed.close()
            try peer.close()
        }
    }

    #if os(Linux)
    @Test("A receiver without descriptors loses no connection: it takes the message when it has room")
    func outOfDescriptors() async {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            let loop = try EventLoop()
            try await loop.spawn {
                let (near, far) = try await LocalChannel.pair()
                let (connection, peer) = try await plainPeerPair()
                try await near.send([1], handingOver: connection)
                // What is being closed must not leave room for the message.
                try await loop.waitUntilIdle()
                let before = countDescriptors()
                forbidDescriptors()
                for _ in 0..<3 { await expectError(.tooManyOpenFiles) { try await far.receive() } }
                limitDescriptors(to: 1_000)
                #expect(countDescriptors() == before)
                let message = try #require(try await far.receive())
                let passed = try await TCPConnection.open(message.descriptors[0])
                try await passed.write([9])
                #expect(try peer.read(upTo: 1) == [9])
            }.value
            await loop.shutdown()
        }
    }
    #endif
}
