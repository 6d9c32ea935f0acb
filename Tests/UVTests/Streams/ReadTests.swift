import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ReadTests {
    @Test func bytesComeThenTheEndOnce() throws {
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.startReading(
                onBytes: { near, bytes in
                    #expect(ended == 0 && !bytes.isEmpty)
                    received.append(copying: bytes)
                },
                onEnd: { near, error in
                    #expect(error == nil)
                    ended += 1
                })
            try peer.writeAll([1, 2, 3])
            try loop.run(.once)
            try peer.writeAll([4])
            try peer.close()
            try loop.run()
            #expect(!near.isActive)
            near.close()
        }
        #expect(received == [1, 2, 3, 4] && ended == 1)
    }

    @Test func readingIsStartedOnce() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            try near.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            expectError(.alreadyInProcess) {
                try near.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            }
            expectError(.alreadyInProcess) { try near.read { _, _ in } }
            near.close()
            far.close()
        }
    }

    @Test func aStoppedReaderGetsNothingUntilItIsResumed() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            near.stopReading()
            near.resumeReading()
            try near.startReading(
                onBytes: { near, bytes in
                    received.append(copying: bytes)
                    near.stopReading()
                }, onEnd: { near, _ in near.close() })
            near.stopReading()
            near.stopReading()
            try peer.writeAll([1])
            for _ in 0..<3 { try loop.run(.noWait) }
            #expect(received.isEmpty && !near.isActive)
            near.resumeReading()
            near.resumeReading()
            try loop.run()
            #expect(received == [1])
            try peer.writeAll([2])
            try peer.close()
            near.resumeReading()
            try loop.run()
            #expect(received == [1, 2] && !near.isClosing, "stopped before the end")
            near.resumeReading()
        }
    }

    @Test func aStartAfterAStopReplacesTheClosures() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.startReading(
                onBytes: { near, _ in
                    log.append("first")
                    near.stopReading()
                    try! near.startReading(
                        onBytes: { _, _ in log.append("second") },
                        onEnd: { near, _ in
                            log.append("end")
                            near.close()
                        })
                    try! peer.writeAll([2])
                    try! peer.close()
                }, onEnd: { _, _ in Issue.record("the old end") })
            try peer.writeAll([1])
        }
        #expect(log == ["first", "second", "end"])
    }

    @Test func anEndedStreamIsNotReadableButWritable() throws {
        var echoed: [UInt8] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            peer.finishSending()
            try near.startReading(
                onBytes: { _, _ in },
                onEnd: { near, _ in
                    #expect(!near.isReadable && near.isWritable)
                    near.resumeReading()
                    #expect(!near.isActive)
                    try! near.write([9])
                    near.closeAfterWrites()
                })
            try loop.run()
            echoed = try peer.readToEnd()
            try peer.close()
        }
        #expect(echoed == [9])
    }

    @Test("A reset comes to the reader once, as its own error")
    func reset() throws {
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.startReading(onBytes: { _, _ in }, onEnd: { _, error in errors.append(error) })
            try peer.closeWithReset()
            try loop.run()
            #expect(!near.isActive && !near.isReadable)
            near.close()
        }
        #expect(errors.map(\.?.code) == [.connectionReset])
        #expect(
            errors.first??.description.hasPrefix("connection reset by peer (ECONNRESET) in read from 127.0.0.1:")
                == true)
    }

    @Test(
        "Guard: a reset behind unread bytes is an error, not the end that libuv makes of it", arguments: [1, 100_000])
    func resetBehindBytes(_ count: Int) throws {
        var received = 0
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.writeAll([UInt8](repeating: 1, count: count))
            try peer.closeWithReset()
            try near.startReading(
                onBytes: { _, bytes in received += bytes.count },
                onEnd: { near, error in
                    errors.append(error)
                    near.close()
                })
        }
        #expect(errors.map(\.?.code) == [.connectionReset] && received <= count)
    }

    @Test("Guard: the peer's end stays the end when it does not want our answer")
    func endThenReset() throws {
        var received = 0
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.writeAll([1, 2, 3])
            try peer.close()
            // Packets of two processors may overtake one another: the end has to be here before the reset.
            var watched = pollfd(fd: try near.fileDescriptor.rawValue, events: pollRemoteHangUp, revents: 0)
            let isHere = unsafe poll(&watched, 1, 60_000)
            #expect(isHere == 1)
            // The first write makes the peer's system answer with a reset.
            try near.write([1])
            try near.startReading(
                onBytes: { _, bytes in received += bytes.count },
                onEnd: { near, error in
                    errors.append(error)
                    near.close()
                })
        }
        #expect(errors == [nil])
        #expect(received == 3)
    }

    @Test func nothingComesAfterAClose() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.startReading(
                onBytes: { _, _ in Issue.record("read") }, onEnd: { _, _ in Issue.record("ended") })
            try peer.writeAll([1])
            try peer.close()
            near.close()
        }
    }

    @Test("Two streams of one loop may be read inside each other's calls: the lent bytes stay as they were")
    func lentBytesStay() throws {
        try withLoop { loop in
            let (first, firstPeer) = try TCPHandle.withPlainPeer(on: loop)
            let (second, secondPeer) = try TCPHandle.withPlainPeer(on: loop)
            try secondPeer.writeAll([2, 2, 2])
            try firstPeer.writeAll([1, 1, 1])
            try first.startReading(
                onBytes: { first, bytes in
                    try! second.startReading(onBytes: { second, _ in second.close() }, onEnd: { _, _ in })
                    #expect([UInt8](copying: bytes) == [1, 1, 1])
                    first.close()
                }, onEnd: { _, _ in })
            try loop.run()
            try firstPeer.close()
            try secondPeer.close()
        }
    }
}

#if os(Linux)
private let pollRemoteHangUp = CShort(0x2000)  // POLLRDHUP: for _GNU_SOURCE only
#else
private let pollRemoteHangUp = CShort(POLLIN)
#endif
