import AsyncUV
import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing

extension UDPSocket {
    static func onLoopback(on loop: EventLoop = .current ?? .shared) async throws -> UDPSocket {
        try await bind(to: .loopback(port: 0), on: loop)
    }
}

/// `UDPSocket`: bind, connect, send, receive, batches.
@Suite(.ownThread) struct UDPSocketTests {
    @Test(arguments: ["127.0.0.1", "::1"]) func questionAndAnswer(_ host: String) throws {
        try onLoop { loop in
            let server = try await UDPSocket.bind(host: host, port: 0)
            let client = try await UDPSocket.connect(to: server.localAddress)
            #expect(server.loop === loop && client.remoteAddress == server.localAddress && server.remoteAddress == nil)
            #expect("\(client)" == "UDP socket on \(client.localAddress) to \(server.localAddress)")
            let serving = loop.spawn {
                for _ in 0..<3 {
                    let datagram = try await server.receive()
                    try await server.send(datagram.bytes.reversed(), to: datagram.from)
                }
            }
            try await client.send([1, 2, 3])
            #expect(try await client.receive() == Datagram([3, 2, 1], .init(from: server.localAddress)))
            try await client.send("ab")
            #expect(
                try await client.withDatagram { bytes, info in (bytes[0], bytes.count, info.from) } == (
                    98, 2, server.localAddress
                ))
            try await client.send([UInt8]().span)
            #expect(try await client.receive(timeout: .seconds(60)).bytes == [])
            try await serving.value
            await server.close()
            await client.close()
            await client.close()
        }
    }

    @Test func fromOtherThreads() async throws {
        try await withOwnLoop { loop in
            let server = try await UDPSocket.bind(host: "localhost", port: 0, family: .ipv4, on: loop)
            let client = try await UDPSocket.connect(
                host: "127.0.0.1", port: server.localAddress.port, from: .loopback(port: 0), on: loop)
            try await client.send([1])
            #expect(try await server.receive().bytes == [1])
            try await client.send([2].span)
            var seen: [UInt8] = []
            #expect(try await server.withDatagram { bytes, _ in seen.append(bytes[0]) } == ())
            #expect(seen == [2])
            var batch = DatagramBatch()
            batch.append([3])
            batch.append([4, 4])
            try await client.sendBatch(batch)
            var received = DatagramBatch()
            while received.count < 2 { try await server.receiveBatch(into: &received) }
            #expect(received.bytes(at: 0) == [3] && received.bytes(at: 1) == [4, 4])
            try await client.setLabel("client")
            #expect(try await client.label == "client")
            let datagrams = try await server.datagrams()
            try await client.send([5])
            #expect(try await datagrams.next()?.get().bytes == [5])
            await client.close()
            await expectError(.badFileDescriptor) { try await client.send([1]) }
            await server.close()
            #expect(try await datagrams.next() == nil)
        }
    }

    @Test func aSocketOfAnotherLoop() throws {
        try onLoop { loop in
            try await withOwnLoop { other in
                let there = try await UDPSocket.onLoopback(on: other)
                let here = try await UDPSocket.onLoopback(on: loop)
                try await here.send([1], to: there.localAddress)
                #expect(try await there.receive().from == here.localAddress)
                try await there.send([2], to: here.localAddress)
                #expect(try await here.receive().bytes == [2])
                await here.close()
            }
        }
    }

    @Test("U1: too long to be sent, empty, longer than the receiver's limit") func sizes() throws {
        try onLoop { _ in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            await expectError(.messageTooLong) {
                try await near.send([UInt8](repeating: 1, count: 70_000), to: far.localAddress)
            }
            try await near.send([], to: far.localAddress)
            try await near.send([1, 2, 3], to: far.localAddress)
            let empty = try await far.receive()
            #expect(empty.bytes == [] && empty.from == near.localAddress && !empty.isTruncated)
            let cut = try await far.receive(upTo: 2)
            #expect(cut.bytes == [1, 2] && cut.isTruncated)
            for limit in [0, -1, Int.min] {
                await expectError(.invalidArgument) { try await far.receive(upTo: limit) }
                await expectError(.invalidArgument) { try await far.withDatagram(upTo: limit) { _, _ in } }
                await expectError(.invalidArgument) { try await far.datagrams(queue: limit) }
                await expectError(.invalidArgument) {
                    var batch = DatagramBatch()
                    try await far.receiveBatch(into: &batch, upTo: limit)
                }
            }
        }
    }

    #if os(Linux)
    @Test("Errors that nobody takes leave room for datagrams; a socket without a peer has none unless it asks")
    func errorsTakeNoRoom() throws {
        try onLoop { loop in
            let gone = try await UDPSocket.onLoopback()
            let nobody = gone.localAddress
            await gone.close()
            let near = try await UDPSocket.connect(to: nobody)
            let server = try await UDPSocket.onLoopback()
            for _ in 0..<1_000 {
                try await near.send([UInt8](repeating: 1, count: 500))
                try await server.send([1], to: nobody)
            }
            let again = try await UDPSocket.bind(to: nobody)
            for number in 0..<20 { try await again.send([UInt8(number)], to: near.localAddress) }
            var taken: [UInt8] = []
            var errors = 0
            while taken.count < 20 {
                do { taken += try await near.receive(timeout: .seconds(5)).bytes } catch UVError.Code.connectionRefused
                {
                    errors += 1
                }
            }
            #expect(taken == Array(0..<20) && (1...32).contains(errors))
            await expectError(.timedOut) { try await server.receive(timeout: .zero) }
        }
    }

    @Test("Nobody listens: the next receive throws it, and the one after that goes on", arguments: [false, true])
    func refused(connected: Bool) throws {
        try onLoop { loop in
            let gone = try await UDPSocket.onLoopback()
            let nobody = gone.localAddress
            await gone.close()
            try await loop.waitUntilIdle()
            let (near, far) = (
                connected
                    ? try await UDPSocket.connect(to: nobody)
                    : try await UDPSocket.bind(to: .loopback(port: 0), options: UDPOptions(reportsErrors: true)),
                try await UDPSocket.onLoopback()
            )
            for isWaiting in [false, true] {
                let waiting = isWaiting ? loop.spawn { try await near.receive() } : nil
                if isWaiting { try await loop.waitUntilIdle(waits: 1) }
                try await near.send([1], to: connected ? nil : nobody)
                let error = await #expect(throws: UVError.self) {
                    if let waiting { _ = try await waiting.value } else { _ = try await near.receive() }
                }
                #expect(error?.code == .connectionRefused && error?.subject == nobody.description)
            }
            if !connected {
                try await near.send([2], to: far.localAddress)
                #expect(try await far.receive().bytes == [2])
                try await far.send([3], to: near.localAddress)
                #expect(try await near.receive().bytes == [3])
            }
            await expectError(.timedOut) { try await near.receive(timeout: .zero) }
        }
    }
    #endif

    @Test func timeouts() throws {
        try onLoop { loop in
            let socket = try await UDPSocket.onLoopback()
            let began = LoopClock.Instant.now
            let error = await #expect(throws: UVError.self) { try await socket.receive(timeout: .milliseconds(20)) }
            #expect(error?.code == .timedOut && error?.subject == "\(socket.localAddress)")
            #expect(LoopClock.Instant.now - began >= .milliseconds(20))
            await expectError(.timedOut) { try await socket.withDatagram(timeout: .milliseconds(-1)) { _, _ in } }
            await expectError(.timedOut) {
                var batch = DatagramBatch()
                try await socket.receiveBatch(into: &batch, timeout: .zero)
            }
            try await socket.send([1], to: socket.localAddress)
            // Loopback may deliver a little later on a busy machine.
            var bytes: [UInt8]?
            while bytes == nil {
                do { bytes = try await socket.receive(timeout: .zero).bytes } catch UVError.Code.timedOut {}
            }
            #expect(bytes == [1], "what is there comes without time")
        }
    }

    @Test("C1: cancelled while it waits, and before") func cancellation() throws {
        try onLoop { loop in
            let socket = try await UDPSocket.onLoopback()
            let datagrams = try await UDPSocket.onLoopback().datagrams()
            let waits: [@Sendable () async throws -> Void] = [
                { _ = try await socket.receive() }, { try await socket.withDatagram { _, _ in } },
                {
                    var batch = DatagramBatch()
                    try await socket.receiveBatch(into: &batch)
                }, { _ = try await socket.receive(timeout: .seconds(60)) }, { _ = try await datagrams.next() },
            ]
            for wait in waits {
                let waiting = loop.spawn { try await wait() }
                try await loop.waitUntilIdle(waits: 1)
                waiting.cancel()
                #expect(await failure(of: waiting) is CancellationError)
                let late = loop.spawn {
                    cancelMe()
                    try await wait()
                }
                #expect(await failure(of: late) is CancellationError)
            }
            let sending: [@Sendable () async throws -> Void] = [
                { try await socket.send([1], to: socket.localAddress) },
                { try await socket.send([1].span, to: socket.localAddress) },
                {
                    var batch = DatagramBatch()
                    batch.append([1], to: socket.localAddress)
                    try await socket.sendBatch(batch)
                }, { _ = try await UDPSocket.onLoopback(on: loop) },
                { _ = try await UDPSocket.connect(to: socket.localAddress, on: loop) },
            ]
            for send in sending {
                let late = loop.spawn {
                    cancelMe()
                    try await send()
                }
                #expect(await failure(of: late) is CancellationError)
            }
            await expectError(.timedOut, "nothing was sent") { try await socket.receive(timeout: .zero) }
            try await socket.send([2], to: socket.localAddress)
            #expect(try await socket.receive().bytes == [2], "the socket can be used on")
        }
    }

    @Test("K3: who waits when the socket is closed gets canceled; later calls a bad file descriptor") func closing()
        throws
    {
        try onLoop { loop in
            let socket = try await UDPSocket.onLoopback()
            let waiting = (0..<3).map { _ in loop.spawn { try await socket.receive() } }
            try await loop.waitUntilIdle(waits: 3)
            await socket.close()
            for task in waiting { #expect(code(of: await failure(of: task)) == .canceled) }
            await expectError(.badFileDescriptor) { try await socket.receive() }
            await expectError(.badFileDescriptor) { try await socket.send([1], to: socket.localAddress) }
            await expectError(.badFileDescriptor) { try await socket.datagrams() }
            await expectError(.badFileDescriptor) { try await socket.setTTL(1) }
            let other = try await UDPSocket.onLoopback()
            let datagrams = try await other.datagrams()
            let reading = loop.spawn { try await datagrams.next() }
            try await loop.waitUntilIdle(waits: 1)
            await other.close()
            #expect(try await reading.value == nil)
            #expect(try await datagrams.next() == nil)
        }
    }

    @Test("K1: the loop ends while tasks receive") func endOfTheLoop() async throws {
        let loop = try EventLoop()
        let socket = try await UDPSocket.onLoopback(on: loop)
        let datagrams = try await UDPSocket.onLoopback(on: loop).datagrams()
        let waiting = loop.spawn { try await socket.receive() }
        let reading = loop.spawn { try await datagrams.next() }
        try await loop.waitUntilIdle(waits: 2)
        await loop.shutdown()
        #expect(code(of: await failure(of: waiting)) == .canceled)
        #expect(code(of: await failure(of: reading)) == .canceled)
        await expectError(.canceled) { try await socket.send([1], to: socket.localAddress) }
        await socket.close()
    }

    @Test func manyWaitInOrder() throws {
        try onLoop { loop in
            let socket = try await UDPSocket.onLoopback()
            let order = Shared<[UInt8]>([])
            let tasks = (0..<40).map { number in
                loop.spawn {
                    let datagram = try await socket.receive()
                    order.change { $0.append(datagram.bytes[0]) }
                    return number == Int(datagram.bytes[0])
                }
            }
            try await loop.waitUntilIdle(waits: 40)
            for number: UInt8 in 0..<40 { try await socket.send([number], to: socket.localAddress) }
            for task in tasks { #expect(try await task.value) }
            #expect(order.value == Array(0..<40))
        }
    }

    @Test func batches() throws {
        try onLoop { loop in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            var batch = DatagramBatch()
            for number: UInt8 in 0..<100 { batch.append([number], to: far.localAddress) }
            let receiving = loop.spawn {
                var got = DatagramBatch()
                while got.count < 100 { try await far.receiveBatch(into: &got, upTo: 64) }
                try await far.sendBatch(got, timeout: .seconds(60))
                return (0..<100).map { got.bytes(at: $0) }
            }
            try await near.sendBatch(batch)
            #expect(try await receiving.value == (0..<100).map { [$0] })
            for number: UInt8 in 0..<100 { #expect(try await near.receive().bytes == [number]) }
        }
    }

    #if os(Linux)
    @Test("A datagram that waits for room is taken back when its task is cancelled") func queuedSends() throws {
        try onLoop { loop in
            let (near, far) = (try await UDPSocket.onLoopback(), try await UDPSocket.onLoopback())
            cfaults_fail_sends(EAGAIN, 1)
            let sending = (1...3).map { (number: UInt8) in
                loop.spawn {
                    try await near.send([number], to: far.localAddress, timeout: number == 3 ? .seconds(60) : nil)
                }
            }
            await Task.yield()
            while try await near.sendQueueCount < 3 { await Task.yield() }
            #expect(try await near.sendQueueSize == 3)
            let report = try await loop.explainAlive()
            #expect(report.entries.count { $0.kind == "send" && $0.standing == .waits } == 3, "\(report)")
            sending[1].cancel()
            try await sending[0].value
            try await sending[2].value
            #expect(await failure(of: sending[1]) is CancellationError)
            #expect(try await far.receive().bytes == [1])
            #expect(try await far.receive().bytes == [3])
            cfaults_fail_sends(EAGAIN, 1)
            var batch = DatagramBatch()
            for number: UInt8 in 0..<5 { batch.append([number], to: far.localAddress) }
            try await near.sendBatch(batch)
            for number: UInt8 in 0..<5 { #expect(try await far.receive().bytes == [number]) }
        }
    }
    #endif

    @Test func optionsAndGroups() throws {
        try onLoop { _ in
            let group = try SocketAddress(host: "239.77.2.1", port: 0)
            let member = try await UDPSocket.bind(
                to: .anyIPv4(port: 0), options: UDPOptions(reuseAddress: true, ttl: 9))
            try await member.join(group, on: .named("lo"))
            let sender = try await UDPSocket.bind(
                to: .anyIPv4(port: 0), options: UDPOptions(multicastTTL: 1, multicastInterface: .named("lo")))
            var address = group
            address.port = member.localAddress.port
            try await sender.send([1], to: address)
            #expect(try await member.receive().bytes == [1])
            try await sender.setMulticastLoop(enabled: false)
            try await sender.setMulticastLoop(enabled: true)
            try await sender.send([3], to: address)
            #expect(try await member.receive().bytes == [3])
            try await member.leave(group, on: .named("lo"))
            try await member.join(group, source: .loopback(port: 0), on: .named("lo"))
            try await member.leave(group, source: .loopback(port: 0), on: .named("lo"))
            try await sender.setMulticastTTL(2)
            try await sender.setMulticastInterface(nil)
            let everybody = try SocketAddress(host: "127.255.255.255", port: member.localAddress.port)
            await expectError(.permissionDenied) { try await sender.send([1], to: everybody) }
            try await sender.setBroadcast(enabled: true)
            try await sender.send([4], to: everybody)
            #expect(try await member.receive().bytes == [4])
            try await sender.setSendBufferSize(30_000)
            try await sender.setReceiveBufferSize(30_000)
            let sizes = (try await sender.sendBufferSize, try await sender.receiveBufferSize)
            #expect(sizes.0 >= 30_000 && sizes.1 >= 30_000)
            await expectError(.invalidArgument) {
                try await UDPSocket.bind(to: .loopback(port: 0), options: UDPOptions(ttl: 256))
            }
            await expectError(.addressInUse) { try await UDPSocket.bind(to: sender.localAddress) }
        }
    }

    @Test func adopts() throws {
        try onLoop { _ in
            let (stream, peer) = try FileDescriptor.tcpPair()
            await expectError(.protocolWrongTypeForSocket) { try await UDPSocket.open(stream) }
            try stream.close()
            try peer.close()
            let socket = try await UDPSocket.open(
                FileDescriptor(rawValue: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)))
            let far = try await UDPSocket.onLoopback()
            try await socket.send([1], to: far.localAddress)
            #expect(try await far.receive().bytes == [1])
        }
    }
}

private func cancelMe() { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
