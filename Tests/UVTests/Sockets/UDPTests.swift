import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// `UDPHandle`: addresses, sending, receiving.
@Suite(.ownThread) struct UDPTests {
    @Test(arguments: [SocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)])
    func sendsAndReceives(at address: SocketAddress) throws {
        var received: [Datagram] = []
        var own: SocketAddress?
        try withLoop { loop in
            let (near, far) = (try UDPHandle(on: loop), try UDPHandle(on: loop, family: address.family))
            try near.bind(to: address)
            try far.bind(to: address)
            #expect(near.family == address.family && far.family == address.family)
            try far.startReceiving(
                onDatagram: { far, bytes, info in
                    received.append(Datagram(copying: bytes, info))
                    if received.count == 3 { far.close() }
                }, onError: { _, error in Issue.record("\(error)") })
            own = try near.localAddress
            #expect(try near.send([1, 2, 3], to: far.localAddress) == .sent)
            try near.send([UInt8]().span, to: far.localAddress)
            try near.send("four", to: far.localAddress)
            near.close()
        }
        #expect(received.map(\.bytes) == [[1, 2, 3], [], Array("four".utf8)])
        #expect(received.allSatisfy { $0.from == own && !$0.isTruncated })
    }

    @Test("U1: too long to be sent, empty, longer than the receiver's limit")
    func sizes() throws {
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let address = try far.localAddress
            for size in [65_508, 70_000] {
                let error = #expect(throws: UVError.self) {
                    try near.send([UInt8](repeating: 1, count: size), to: address)
                }
                #expect(error?.code == .messageTooLong)
                #expect(error.map { "\($0)" } == "message too long (EMSGSIZE) in send to \(address)")
            }
            let largest = [UInt8](repeating: 2, count: 65_507)
            try near.send(largest, to: address)
            try near.send([], to: address)
            try near.send([1, 2, 3, 4], to: address)
            try near.send([1, 2, 3], to: address)
            let first = try far.tryReceive()
            #expect(first?.bytes == largest && first?.isTruncated == false)
            let empty = try far.tryReceive()
            #expect(try empty?.bytes == [] && empty?.from == near.localAddress && empty?.isTruncated == false)
            let cut = try far.tryReceive(upTo: 3)
            #expect(cut?.bytes == [1, 2, 3] && cut?.isTruncated == true)
            let whole = try far.tryReceive(upTo: 3)
            #expect(whole?.bytes == [1, 2, 3] && whole?.isTruncated == false)
            #expect(try far.tryReceive() == nil)
            near.close()
            far.close()
        }
    }

    @Test("U1: the closure's datagrams have the limit, too") func limitOfTheClosure() throws {
        var received: [Datagram] = []
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            try far.startReceiving(
                upTo: 2,
                onDatagram: { far, bytes, info in
                    received.append(Datagram(copying: bytes, info))
                    if received.count == 2 { far.close() }
                }, onError: { _, error in Issue.record("\(error)") })
            try near.send([1, 2, 3], to: far.localAddress)
            try near.send([1, 2], to: far.localAddress)
            near.close()
        }
        #expect(received.map(\.bytes) == [[1, 2], [1, 2]] && received.map(\.isTruncated) == [true, false])
    }

    @Test func connectedSockets() throws {
        try withLoop { loop in
            let (near, far, other) = (
                try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop),
                try UDPHandle.onLoopback(on: loop)
            )
            expectError(.destinationAddressRequired) { try near.send([1]) }
            expectError(.socketNotConnected) { try near.remoteAddress }
            expectError(.socketNotConnected) { try near.disconnect() }
            try near.connect(to: far.localAddress)
            #expect(try near.remoteAddress == far.localAddress)
            expectError(.socketIsConnected) { try near.connect(to: other.localAddress) }
            expectError(.socketIsConnected) { try near.send([1], to: other.localAddress) }
            try other.send([9], to: near.localAddress)
            try near.send([1])
            let question = try far.tryReceive()
            #expect(try question?.bytes == [1] && question?.from == near.localAddress)
            try far.send([2], to: near.localAddress)
            #expect(try near.tryReceive()?.bytes == [2], "only the peer's datagrams come")
            #expect(try near.tryReceive() == nil)
            try near.disconnect()
            try other.send([3], to: near.localAddress)
            #expect(try near.tryReceive()?.bytes == [3])
            for handle in [near, far, other] { handle.close() }
        }
    }

    @Test("Guard: libuv aborts or makes a socket by itself; a handle without a socket says so")
    func withoutASocket() throws {
        try withLoop { loop in
            let handle = try UDPHandle(on: loop)
            #expect(handle.family == nil && handle.systemDropCount == nil && handle.sendQueueSize == 0)
            expectError(.badFileDescriptor) {
                try handle.startReceiving(onDatagram: { _, _, _ in }, onError: { _, _ in })
            }
            expectError(.badFileDescriptor) { try handle.tryReceive() }
            expectError(.badFileDescriptor) { try handle.setTTL(3) }
            expectError(.badFileDescriptor) { try handle.setBroadcast(enabled: true) }
            expectError(.badFileDescriptor) { try handle.setMulticastInterface(nil) }
            expectError(.badFileDescriptor) { try handle.localAddress }
            expectError(.destinationAddressRequired) { try handle.send([1]) }
            let far = try UDPHandle.onLoopback(on: loop)
            try handle.send([1], to: far.localAddress)
            #expect(try handle.localAddress.port != 0 && far.tryReceive()?.from.port == handle.localAddress.port)
            handle.close()
            far.close()
        }
    }

    @Test func addressInUse() throws {
        try withLoop { loop in
            let first = try UDPHandle.onLoopback(on: loop)
            let second = try UDPHandle(on: loop)
            let address = try first.localAddress
            do {
                try second.bind(to: address)
                Issue.record("two have \(address)")
            } catch { #expect("\(error)" == "address already in use (EADDRINUSE) in bind of \(address)") }
            expectError(.invalidArgument, "bound already") { try first.bind(to: .loopback(port: 0)) }
            expectError(.invalidArgument, "the other family") { try first.bind(to: .loopbackIPv6(port: 0)) }
            try loop.closeAllHandles()
        }
    }

    @Test(arguments: [false, true]) func sharedAddress(byPort: Bool) throws {
        try withLoop { loop in
            let first = try UDPHandle(on: loop)
            let second = try UDPHandle(on: loop)
            try first.bind(to: .loopback(port: 0), reuseAddress: !byPort, reusePort: byPort)
            try second.bind(to: first.localAddress, options: UDPOptions(reuseAddress: !byPort, reusePort: byPort))
            try loop.closeAllHandles()
        }
    }

    @Test func ipv4PeersOfAnIPv6Socket() throws {
        try withLoop { loop in
            let both = try UDPHandle(on: loop)
            try both.bind(to: .anyIPv6(port: 0))
            let near = try UDPHandle.onLoopback(on: loop)
            try near.send([1], to: .loopback(port: both.localAddress.port))
            let datagram = try #require(try both.tryReceive())
            #expect(datagram.from.host == "::ffff:127.0.0.1" && datagram.from.family == .ipv6)
            try both.send([2], to: datagram.from)
            #expect(try near.tryReceive()?.bytes == [2])
            // To an address of IPv4 as well.
            try both.send([3], to: near.localAddress)
            #expect(try near.tryReceive()?.bytes == [3])
            let ipv6 = try UDPHandle(on: loop)
            try ipv6.bind(to: .anyIPv6(port: 0), ipv6Only: true)
            try near.setReportsErrors(enabled: false)
            try near.send([1], to: .loopback(port: ipv6.localAddress.port))
            #expect(try ipv6.tryReceive() == nil)
            for handle in [both, near, ipv6] { handle.close() }
        }
    }

    @Test func adoptsASocket() throws {
        try withLoop { loop in
            let descriptor = FileDescriptor(rawValue: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0))
            let handle = try UDPHandle(on: loop)
            try handle.open(descriptor)
            #expect(handle.family == .ipv4)
            #expect(descriptor.option(SOL_SOCKET, SO_REUSEADDR) == 0, "libuv lets others take the address")
            try handle.bind(to: .loopback(port: 0))
            let other = FileDescriptor(rawValue: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0))
            expectError(.resourceBusy) { try handle.open(other) }
            try other.close()
            let pipe = try FileDescriptor.pipe()
            let (stream, peer) = try FileDescriptor.tcpPair()
            let local = FileDescriptor(rawValue: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
            let refused: [(FileDescriptor, UVError.Code)] = [
                (pipe.readEnd, .notSocket), (pipe.writeEnd, .notSocket), (stream, .protocolWrongTypeForSocket),
                (peer, .protocolWrongTypeForSocket), (local, .addressFamilyNotSupported),
            ]
            for (descriptor, code) in refused {
                let new = try UDPHandle(on: loop)
                expectError(code) { try new.open(descriptor) }
                new.close()
                try descriptor.close()
            }
            let connected = FileDescriptor(rawValue: socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0))
            let to = try UDPHandle(on: loop)
            try to.open(connected)
            try to.connect(to: handle.localAddress)
            try to.send([7])
            #expect(try handle.tryReceive()?.bytes == [7])
            handle.close()
            to.close()
        }
    }

    @Test func batchesInFewCalls() throws {
        var sizes: [Int] = []
        var bytes: [[UInt8]] = []
        var echoed: [[UInt8]] = []
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            #if os(Linux)
            #expect(near.usesSystemBatches)
            #endif
            var batch = DatagramBatch()
            for number in 0..<50 {
                batch.append([UInt8](repeating: UInt8(number), count: number), to: try far.localAddress)
            }
            #expect(batch.count == 50 && batch.byteCount == 50 * 49 / 2 && !batch.isEmpty)
            #expect(try near.trySend(batch) == 50)
            expectError(.invalidArgument) { try near.trySend(batch, from: 51) }
            #expect(try near.trySend(batch, from: 50) == 0 && near.trySend(DatagramBatch()) == 0)
            try far.startReceivingBatches(
                onBatch: { far, batch in
                    sizes.append(batch.count)
                    bytes += (0..<batch.count).map { batch.bytes(at: $0) }
                    #expect(try! far.trySend(batch) == batch.count, "each goes back to where it came from")
                    if bytes.count == 50 { far.close() }
                }, onError: { _, error in Issue.record("\(error)") })
            try near.startReceiving(
                onDatagram: { near, bytes, _ in
                    echoed.append([UInt8](copying: bytes))
                    if echoed.count == 50 { near.close() }
                }, onError: { _, error in Issue.record("\(error)") })
        }
        let expected = (0..<50).map { [UInt8](repeating: UInt8($0), count: $0) }
        #expect(bytes == expected && echoed == expected)
        #expect(sizes.first == 32, "one call takes many: \(sizes)")
    }

    @Test("Neighbours of one size to one address go through the system as one, and arrive as they were") func joined()
        throws
    {
        try withLoop { loop in
            let (near, far, other) = (
                try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop),
                try UDPHandle.onLoopback(on: loop)
            )
            let sizes = [100, 100, 100, 40, 100, 100, 0, 0, 2_000, 2_000, 1_452, 1_452, 1, 1, 1, 2, 300, 300]
            var batch = DatagramBatch()
            for (index, size) in sizes.enumerated() {
                batch.append([UInt8](repeating: UInt8(index), count: size), to: try far.localAddress)
                if index == 16 { batch.append([99], to: try other.localAddress) }
            }
            #expect(try near.trySend(batch) == sizes.count + 1)
            var received = DatagramBatch()
            _ = try far.tryReceive(into: &received, upTo: 32)
            #expect((0..<received.count).map { received.bytes(at: $0).count } == sizes)
            for index in sizes.indices { #expect(received.bytes(at: index).allSatisfy { $0 == UInt8(index) }) }
            #expect(try other.tryReceive()?.bytes == [99])
            // Too long for one: the rest of the batch goes on behind it.
            var wrong = DatagramBatch()
            for size in [3, 70_000, 3] { wrong.append([UInt8](repeating: 1, count: size), to: try far.localAddress) }
            #expect(try near.trySend(wrong) == 1)
            expectError(.messageTooLong) { try near.trySend(wrong, from: 1) }
            #expect(try near.trySend(wrong, from: 2) == 1)
            for handle in [near, far, other] { handle.close() }
        }
    }

    @Test func batchesOnDemand() throws {
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            for number in 0..<40 { try near.send([UInt8(number)], to: far.localAddress) }
            // 31 more come with the first one.
            #expect(try far.tryReceive()?.bytes == [0])
            var batch = DatagramBatch()
            #expect(try far.tryReceive(into: &batch, upTo: 5) == 5)
            #expect(try far.tryReceive(into: &batch, upTo: 100) == 34)
            #expect(try far.tryReceive(into: &batch) == 0)
            #expect((0..<batch.count).map { batch.bytes(at: $0) } == (1..<40).map { [UInt8($0)] })
            #expect(try batch.address(at: 7) == near.localAddress && !batch.isTruncated(at: 7))
            #expect(batch.withBytes(at: 7) { $0[0] } == 8)
            var both = batch
            both.append(contentsOf: batch)
            #expect(both.count == 78 && both.bytes(at: 39 + 7) == [8])
            batch.removeAll()
            #expect(batch.isEmpty && batch.byteCount == 0)
            near.close()
            far.close()
        }
    }

    @Test func stoppingInAClosureLosesNothing() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            for number in 0..<10 { try near.send([UInt8(number)], to: far.localAddress) }
            near.close()
            func receive() throws {
                try far.startReceiving(
                    onDatagram: { far, bytes, _ in
                        received.append(bytes[0])
                        far.stopReceiving()
                        far.stopReceiving()
                        if received.count == 10 { return far.close() }
                        // At once, in the next turn, and by hand.
                        switch received.count % 3 {
                        case 0: try! receive()
                        case 1: try! loop.schedule(after: .zero) { try! receive() }
                        default:
                            received.append(try! far.tryReceive()!.bytes[0])
                            if received.count == 10 { far.close() } else { try! receive() }
                        }
                    }, onError: { _, error in Issue.record("\(error)") })
            }
            try receive()
        }
        #expect(received == Array(0..<10))
    }

    @Test func receivingByHandInAClosureKeepsTheOrder() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            for number in 0..<10 { try near.send([UInt8(number)], to: far.localAddress) }
            near.close()
            try far.startReceiving(
                onDatagram: { far, bytes, _ in
                    received.append(bytes[0])
                    if received.count < 3 { return }
                    far.stopReceiving()
                    received.append(try! far.tryReceive()!.bytes[0])
                    var batch = DatagramBatch()
                    _ = try! far.tryReceive(into: &batch, upTo: 2)
                    received += (0..<batch.count).map { batch.bytes(at: $0)[0] }
                    try! far.startReceivingBatches(
                        onBatch: { far, batch in
                            received += (0..<batch.count).map { batch.bytes(at: $0)[0] }
                            if received.count == 10 { far.close() }
                        }, onError: { _, error in Issue.record("\(error)") })
                }, onError: { _, error in Issue.record("\(error)") })
        }
        #expect(received == Array(0..<10))
    }

    @Test func oneReceiverAtATime() throws {
        try withLoop { loop in
            let handle = try UDPHandle.onLoopback(on: loop)
            func start() throws { try handle.startReceiving(onDatagram: { _, _, _ in }, onError: { _, _ in }) }
            try start()
            #expect(handle.isActive)
            expectError(.alreadyInProcess) { try start() }
            expectError(.alreadyInProcess) {
                try handle.startReceivingBatches(onBatch: { _, _ in }, onError: { _, _ in })
            }
            expectError(.alreadyInProcess) { try handle.tryReceive() }
            handle.stopReceiving()
            #expect(!handle.isActive)
            try start()
            for limit in [0, -1, Int.min] {
                expectError(.invalidArgument) { try UDPHandle.onLoopback(on: loop).tryReceive(upTo: limit) }
                expectError(.invalidArgument) {
                    try UDPHandle.onLoopback(on: loop).startReceiving(
                        upTo: limit, onDatagram: { _, _, _ in }, onError: { _, _ in })
                }
            }
            try loop.closeAllHandles()
        }
    }

    @Test func otherSocketsMayBeReceivedFromInAClosure() throws {
        var received: [[UInt8]] = []
        try withLoop { loop in
            let (near, far, other) = (
                try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop),
                try UDPHandle.onLoopback(on: loop)
            )
            try far.startReceiving(
                onDatagram: { far, bytes, _ in
                    received.append(try! other.tryReceive()!.bytes)
                    received.append([UInt8](copying: bytes))
                    if received.count == 4 { for handle in [near, far, other] { handle.close() } }
                }, onError: { _, error in Issue.record("\(error)") })
            for number: UInt8 in [1, 2] {
                try near.send([number, number], to: far.localAddress)
                try near.send([10 * number, number], to: other.localAddress)
            }
        }
        #expect(received == [[10, 1], [1, 1], [20, 2], [2, 2]])
    }

    @Test("A flood leaves the others their turns") func flood() throws {
        var (received, ticks) = (0, 0)
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let address = try far.localAddress
            try far.startReceiving(
                onDatagram: { far, bytes, _ in
                    received += 1
                    // There is always one more to come than has been.
                    for _ in 0..<2 { _ = try? near.trySend(bytes, to: address) }
                }, onError: { _, error in Issue.record("\(error)") })
            try near.send([1], to: address)
            try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                ticks += 1
                if ticks == 20 { for handle in [timer, near, far] { handle.close() } }
            }
        }
        #expect(ticks == 20 && received > 100)
    }

    #if os(Linux)
    @Test func theSystemCountsWhatItDrops() throws {
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            try far.setReceiveBufferSize(4_096)
            #expect(far.systemDropCount == 0)
            for _ in 0..<100 { try near.send([UInt8](repeating: 1, count: 1_024), to: far.localAddress) }
            var batch = DatagramBatch()
            let count = try far.tryReceive(into: &batch, upTo: 100)
            #expect(count < 100 && far.systemDropCount == 100 - count)
            near.close()
            far.close()
            #expect(far.systemDropCount == nil)
        }
    }
    #endif
}
