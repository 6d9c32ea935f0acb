import SystemPackage
import TestSupport
import Testing
import UV

/// One-shot reading.
@Suite(.ownThread) struct ReceiveTests {
    @Test func waitsForBytesThenForTheEnd() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try #expect(near.read { _, result in log.append(describe(result)) }.text == "waiting")
            try peer.writeAll([1, 2])
            try loop.run(.once)
            #expect(log == ["[1, 2]"])
            try #expect(near.read { _, result in log.append(describe(result)) }.text == "waiting")
            try peer.close()
            try loop.run()
            #expect(log == ["[1, 2]", "end"])
            try #expect(near.read(onDone: unexpected).text == "ended")
            try #expect(near.read(onDone: unexpected).text == "ended")
            near.close()
        }
    }

    @Test func readsOneChunkAheadAndReturnsItAtOnce() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read { _, _ in }
            try peer.writeAll([1])
            try loop.run(.once)
            try peer.writeAll([2, 3, 4])
            try loop.run(.once)
            #expect(!near.isActive, "one chunk ahead and no more")
            try peer.writeAll([5])
            for expected in ["[2, 3]", "[4]"] {
                try #expect(near.read(upTo: 2, onDone: unexpected).text == expected)
            }
            var last = ""
            try #expect(near.read { _, result in last = describe(result) }.text == "waiting")
            try loop.run(.once)
            #expect(last == "[5]")
            near.close()
            try peer.close()
        }
    }

    @Test("The limit is kept, and nothing is lost", arguments: [1, 2, 3, 7, 4_096, 65_536, 100_000, Int.max])
    func limit(_ limit: Int) throws {
        let bytes = pattern(count: limit < 8 ? 500 : 300_000)
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (near, peer) = try TCPHandle.tcpPair(on: loop)
            func next() {
                let outcome = try! near.read(upTo: limit) { _, result in take(try! result.get()) }
                switch outcome {
                case .bytes(let chunk): take(chunk)
                case .ended: take(nil)
                case .waiting: break
                }
            }
            func take(_ chunk: [UInt8]?) {
                guard let chunk else {
                    ended += 1
                    return near.close()
                }
                #expect(!chunk.isEmpty && chunk.count <= min(limit, 65_536))
                received += chunk
                next()
            }
            next()
            try peer.write(bytes)
            peer.closeAfterWrites()
        }
        #expect(areEqual(received, bytes) && ended == 1)
    }

    @Test("B1, B2: limits below 1 are errors", arguments: [0, -1, Int.min])
    func absurdLimit(_ limit: Int) throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            expectError(.invalidArgument) { try near.read(upTo: limit, onDone: unexpected) }
            #expect(!near.isActive)
            near.close()
            far.close()
        }
    }

    @Test func oneAtATime() throws {
        var calls = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            _ = try near.read { near, _ in
                calls += 1
                near.close()
            }
            expectError(.alreadyInProcess) { try near.read(onDone: unexpected) }
            expectError(.alreadyInProcess) {
                try near.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            }
            try far.write([1])
            far.closeAfterWrites()
        }
        #expect(calls == 1)
    }

    @Test func canceledByTheUserItLosesNoByte() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            #expect(!near.cancelRead())
            _ = try near.read(onDone: unexpected)
            #expect(near.cancelRead())
            #expect(!near.cancelRead())
            try peer.writeAll([1, 2])
            try loop.run(.once)
            try #expect(near.read(onDone: unexpected).text == "[1, 2]")
            near.close()
            try peer.close()
        }
    }

    @Test("An end that comes after cancelRead is kept") func endAfterCancel() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read(onDone: unexpected)
            #expect(near.cancelRead())
            try peer.close()
            try loop.run()
            try #expect(near.read(onDone: unexpected).text == "ended")
            near.close()
        }
    }

    @Test("An error comes to the receive that waits, or to the next one, once") func failure() throws {
        var failure: UVError?
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read { _, result in
                if case .failure(let error) = result { failure = error }
            }
            try peer.closeWithReset()
            try loop.run()
            #expect(failure?.code == .connectionReset)
            try #expect(near.read(onDone: unexpected).text == "ended")
            near.close()

            let (second, secondPeer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try second.read(onDone: unexpected)
            #expect(second.cancelRead())
            try secondPeer.closeWithReset()
            try loop.run()
            expectError(.connectionReset) { try second.read(onDone: unexpected) }
            try #expect(second.read(onDone: unexpected).text == "ended")
            second.close()
        }
    }

    @Test func aCloseCancelsItOnceBeforeOnClosed() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            _ = try near.read { near, result in
                log.append(describe(result))
                #expect(near.isClosing)
            }
            near.close { _ in log.append("closed") }
            #expect(log.isEmpty)
            far.close()
        }
        #expect(log == ["ECANCELED", "closed"])
    }

    @Test("stopReading while a receive waits only delays it") func stop() throws {
        var received = ""
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read { _, result in received = describe(result) }
            near.stopReading()
            near.resumeReading()
            try peer.writeAll([1])
            for _ in 0..<3 { try loop.run(.noWait) }
            #expect(received == "[1]")
            near.close()
            try peer.close()
        }
    }

    @Test("startReading may follow a receive") func switchToReading() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read(upTo: 2) { near, result in
                log.append(describe(result))
                try! (near as! TCPHandle).startReading(
                    onBytes: { _, bytes in log.append("\([UInt8](copying: bytes))") },
                    onEnd: { near, _ in
                        log.append("end")
                        near.close()
                    })
            }
            try peer.writeAll([1, 2, 3, 4])
            try peer.close()
        }
        #expect(log == ["[1, 2]", "[3, 4]", "end"])
    }

    @Test("A large chunk read ahead is taken byte by byte in linear time") func byteByByte() throws {
        let bytes = pattern(count: 60_000)
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            _ = try near.read { _, result in received += try! result.get()! }
            try peer.writeAll([0])
            try loop.run(.once)
            received = []
            try peer.writeAll(bytes)
            while near.isActive { try loop.run(.once) }
            while case .bytes(let byte) = try near.read(upTo: 1, onDone: { _, _ in }) { received += byte }
            near.close()
            try peer.close()
        }
        #expect(!received.isEmpty && areEqual(received, Array(bytes.prefix(received.count))))
    }

    private func unexpected(_: StreamHandle, _ result: Result<[UInt8]?, UVError>) {
        Issue.record("called with \(result)")
    }
}

private func describe(_ result: Result<[UInt8]?, UVError>) -> String {
    switch result {
    case .success(let bytes?): "\(bytes)"
    case .success(nil): "end"
    case .failure(let error): error.code.name
    }
}

extension StreamHandle.ReadOutcome {
    fileprivate var text: String {
        switch self {
        case .bytes(let bytes): "\(bytes)"
        case .ended: "ended"
        case .waiting: "waiting"
        }
    }
}
