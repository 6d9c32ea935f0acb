import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What the network and libuv do to datagrams, and to sockets that are closed.
@Suite(.ownThread) struct UDPErrorTests {
    #if os(Linux)
    @Test("Nobody listens: the receiver is told, with the address, and goes on", arguments: [false, true])
    func refused(connected: Bool) throws {
        var (errors, received): ([UVError], [[UInt8]]) = ([], [])
        var free: SocketAddress?
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let nobody = SocketAddress.loopback(port: try freeUDPPort(on: loop))
            free = nobody
            try near.startReceiving(
                onDatagram: { near, bytes, _ in
                    received.append([UInt8](copying: bytes))
                    near.close()
                    far.close()
                },
                onError: { near, error in
                    errors.append(error)
                    if connected { try! near.disconnect() }
                    try! far.send([3], to: near.localAddress)
                })
            if connected { try near.connect(to: nobody) }
            try near.send([1], to: connected ? nil : nobody)
        }
        #expect(errors.count == 1 && errors.first?.code == .connectionRefused)
        #expect(
            errors.first.map { "\($0)" } == "connection refused (ECONNREFUSED) in receive from \(try #require(free))")
        #expect(received == [[3]])
    }

    @Test("Guard: a send does not fail because of an earlier datagram, and the report is not lost")
    func sendAfterARefusal() throws {
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let nobody = SocketAddress.loopback(port: try freeUDPPort(on: loop))
            for _ in 0..<3 {
                try near.send([1], to: nobody)
                try near.send([2], to: far.localAddress)
            }
            var batch = DatagramBatch()
            batch.append([3], to: try far.localAddress)
            try near.send([1], to: nobody)
            #expect(try near.trySend(batch) == 1)
            #expect(try far.tryReceive(into: &batch, upTo: 10) == 4)
            for _ in 0..<4 {
                let error = #expect(throws: UVError.self) { try near.tryReceive() }
                #expect(error?.code == .connectionRefused && error?.subject == nobody.description)
            }
            #expect(try near.tryReceive() == nil)
            near.close()
            far.close()
        }
    }

    @Test("Guard: reports that nobody takes do not keep the loop awake for ever")
    func reportsEnd() throws {
        var (errors, turns) = (0, 0)
        try withLoop { loop in
            let near = try UDPHandle.onLoopback(on: loop)
            let nobody = SocketAddress.loopback(port: try freeUDPPort(on: loop))
            try near.startReceiving(onDatagram: { _, _, _ in }, onError: { _, _ in errors += 1 })
            // The second send takes the error that announces the first report.
            try near.send([1], to: nobody)
            try near.send([2], to: nobody)
            let prepare = try PrepareHandle(on: loop)
            try prepare.start { _ in turns += 1 }
            try loop.schedule(after: .milliseconds(50)) {
                near.close()
                prepare.close()
            }
        }
        #expect(errors == 2 && turns < 20)
    }

    @Test func withoutReportsAnUnconnectedSocketHearsNothing() throws {
        try withLoop { loop in
            let near = try UDPHandle.onLoopback(on: loop)
            let nobody = SocketAddress.loopback(port: try freeUDPPort(on: loop))
            try near.setReportsErrors(enabled: false)
            try near.send([1], to: nobody)
            try near.send([1], to: nobody)
            #expect(try near.tryReceive() == nil)
            try near.connect(to: nobody)
            try near.send([1])
            expectError(.connectionRefused, "as the system has it") { try near.send([1]) }
            try near.send([1])
            expectError(.connectionRefused) { try near.tryReceive() }
            near.close()
        }
    }

    @Test("Guard: queued datagrams leave in order, together, and one's error is not the others'")
    func queue() throws {
        var done: [String] = []
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let address = try far.localAddress
            func send(_ size: Int, expecting outcome: WriteOutcome = .queued) throws {
                let got = try near.send([UInt8](repeating: 7, count: size), to: address) { _, error in
                    done.append("\(size) \(error?.code.name ?? "sent")")
                    #expect(error == nil || error?.subject == address.description)
                }
                #expect(got == outcome)
            }
            cfaults_fail_sends(EAGAIN, 1)
            try send(1)
            #expect(near.sendQueueCount == 1 && near.sendQueueSize == 1)
            #expect(try !near.trySend([9].span, to: address) && near.trySend(DatagramBatch()) == 0)
            try send(2)
            try send(70_000)
            try send(0)
            try send(4)
            #expect(near.sendQueueCount == 5 && near.sendQueueSize == 70_007 && done.isEmpty)
            try loop.run()
            #expect(near.sendQueueCount == 0 && near.sendQueueSize == 0)
            try send(5, expecting: .sent)
            var batch = DatagramBatch()
            _ = try far.tryReceive(into: &batch, upTo: 10)
            #expect((0..<batch.count).map { batch.bytes(at: $0).count } == [1, 2, 0, 4, 5])
            near.close()
            far.close()
        }
        #expect(done == ["1 sent", "2 sent", "70000 EMSGSIZE", "0 sent", "4 sent"])
    }

    @Test("Where the system cannot join datagrams they go one by one") func joiningFails() throws {
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            var batch = DatagramBatch()
            for number: UInt8 in 0..<40 { batch.append([number], to: try far.localAddress) }
            cfaults_fail_sends(EIO, 1)
            #expect(try near.trySend(batch) == 40)
            var received = DatagramBatch()
            _ = try far.tryReceive(into: &received, upTo: 64)
            #expect(received.bytes(at: 39) == [39])
            near.close()
            far.close()
        }
    }

    @Test func theQueueWaitsForRoomAgainAndAgain() throws {
        var done = 0
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            // One goes by way of libuv in each turn as long as this lasts.
            cfaults_fail_sends(ENOBUFS, 8)
            for number in 0..<20 {
                let outcome = try near.send([UInt8(number)], to: far.localAddress) { _, error in
                    #expect(error == nil)
                    done += 1
                }
                #expect(outcome == .queued)
            }
            try loop.run()
            cfaults_fail_sends(0, 0)
            var batch = DatagramBatch()
            #expect(try far.tryReceive(into: &batch, upTo: 32) == 20)
            #expect((0..<20).map { batch.bytes(at: $0) } == (0..<20).map { [UInt8($0)] })
            near.close()
            far.close()
        }
        #expect(done == 20)
    }

    @Test("K3: what is queued when the socket is closed ends once, with canceled")
    func closeWithAQueue() throws {
        var codes: [UVError.Code?] = []
        try withLoop { loop in
            let near = try UDPHandle.onLoopback(on: loop)
            let address = try near.localAddress
            cfaults_fail_sends(EAGAIN, 1)
            for _ in 0..<5 {
                _ = try near.send([1], to: address) { near, error in
                    codes.append(error?.code)
                    near.close()
                }
            }
            near.close()
        }
        // The first one had left: libuv tells in the next turn.
        #expect(codes.count == 5 && codes.dropFirst().allSatisfy { $0 == .canceled })
    }

    @Test("K3, Guard: close in the receiving closure with datagrams queued; libuv would use freed memory")
    func closeInTheClosureWithAQueue() throws {
        var (codes, closed): ([UVError.Code?], Int) = ([], 0)
        try withLoop { loop in
            let near = try UDPHandle.onLoopback(on: loop)
            let address = try near.localAddress
            try near.startReceiving(
                onDatagram: { near, _, _ in
                    cfaults_fail_sends(EAGAIN, 1)
                    for _ in 0..<5 { _ = try! near.send([1], to: address) { codes.append($1?.code) } }
                    near.close { _ in closed += 1 }
                    near.close { _ in closed += 1 }
                    #expect(near.isClosing)
                    expectError(.badFileDescriptor) { try near.send([1], to: address) }
                }, onError: { _, error in Issue.record("\(error)") })
            try near.send([1], to: address)
        }
        #expect(codes.count == 5 && codes.dropFirst().allSatisfy { $0 == .canceled } && closed == 2)
    }
    #endif

    @Test("K3: close in the closures of a datagram, a batch and an error", arguments: 0..<3)
    func closeInAClosure(_ which: Int) throws {
        var (called, closed) = (0, 0)
        try withLoop { loop in
            let (near, far) = (try UDPHandle.onLoopback(on: loop), try UDPHandle.onLoopback(on: loop))
            let end = { (handle: UDPHandle) in
                called += 1
                handle.close { _ in closed += 1 }
                handle.close()
                near.close()
            }
            if which == 1 {
                try far.startReceivingBatches(onBatch: { far, _ in end(far) }, onError: { _, _ in })
            } else {
                try far.startReceiving(onDatagram: { far, _, _ in end(far) }, onError: { far, _ in end(far) })
            }
            if which < 2 {
                for _ in 0..<3 { try near.send([1], to: far.localAddress) }
            } else {
                #if os(Linux)
                try far.send([1], to: .loopback(port: freeUDPPort(on: loop)))
                #else
                end(far)
                #endif
            }
        }
        #expect(called == 1 && closed == 1)
    }

    @Test("K3: a closed socket says bad file descriptor", arguments: [false, true])
    func afterClose(_ finished: Bool) throws {
        try withLoop { loop in
            let handle = try UDPHandle.onLoopback(on: loop)
            let address = try handle.localAddress
            handle.close()
            if finished { try loop.run() }
            var batch = DatagramBatch()
            batch.append([1], to: address)
            let operations: [() throws -> Void] = [
                { try handle.send([1], to: address) }, { try handle.send([1].span, to: address) },
                { _ = try handle.trySend([1].span) }, { _ = try handle.trySend(batch) },
                { _ = try handle.send([1]) { _, _ in Issue.record("sent") } },
                { _ = try handle.tryReceive() }, { _ = try handle.tryReceive(into: &batch) },
                { try handle.startReceiving(onDatagram: { _, _, _ in }, onError: { _, _ in }) },
                { try handle.startReceivingBatches(onBatch: { _, _ in }, onError: { _, _ in }) },
                { try handle.bind(to: address) }, { try handle.bind(to: address, options: UDPOptions()) },
                { try handle.connect(to: address) }, { try handle.disconnect() }, { _ = try handle.localAddress },
                { _ = try handle.remoteAddress }, { try handle.open(FileDescriptor(rawValue: 1)) },
                { try handle.setTTL(1) }, { try handle.setMulticastTTL(1) },
                { try handle.setMulticastLoop(enabled: true) }, { try handle.setBroadcast(enabled: true) },
                { try handle.setMulticastInterface(nil) }, { try handle.setReportsErrors(enabled: true) },
                { try handle.join(address) }, { try handle.leave(address) },
                { try handle.join(address, source: address) }, { try handle.leave(address, source: address) },
            ]
            for (index, operation) in operations.enumerated() {
                let error = #expect(throws: UVError.self, "operation \(index)") { try operation() }
                #expect(
                    error?.code == .badFileDescriptor && error?.subject == "a closed UDP socket", "operation \(index)")
            }
            handle.stopReceiving()
            #expect(handle.sendQueueCount == 0 && handle.sendQueueSize == 0 && !handle.usesSystemBatches)
        }
    }
}
