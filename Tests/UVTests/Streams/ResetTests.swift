import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ResetTests {
    @Test("N1: a reset in the middle of queued writes ends each once, the reader too", arguments: [true, false])
    func midWrite(whileReading: Bool) throws {
        var queued = 0
        var writes = 0
        var ends = 0
        var closed = 0
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            // Else the system may take megabytes of what is to wait here.
            try near.setSendBufferSize(65_536)
            let isGone: (UVError?) -> Bool = { $0?.code == .connectionReset || $0?.code == .brokenPipe }
            for _ in 0..<16 {
                let outcome = try near.write([UInt8](repeating: 1, count: 1 << 20)) { near, error in
                    #expect(isGone(error))
                    writes += 1
                }
                if outcome == .queued { queued += 1 }
            }
            if whileReading {
                try near.startReading(
                    onBytes: { _, _ in },
                    onEnd: { near, error in
                        #expect(isGone(error))
                        ends += 1
                    })
            }
            try loop.run(.noWait)
            #expect(near.writeQueueSize > 0)
            _ = try peer.read(upTo: 1_000)
            try peer.closeWithReset()
            try loop.run()
            #expect(writes == queued)
            #expect(near.writeQueueSize == 0)
            #expect(throws: UVError.self) { try near.write([1]) }
            near.close { _ in closed += 1 }
        }
        #expect(ends == (whileReading ? 1 : 0) && closed == 1 && writes > 0)
    }

    @Test("N1: a reset during a shutdown ends writes and shutdown once each")
    func duringShutdown() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            // Else the system may take megabytes of what is to wait here.
            try near.setSendBufferSize(65_536)
            for _ in 0..<3 {
                _ = try near.write([UInt8](repeating: 1, count: 6 << 20)) { _, error in
                    #expect(error != nil)
                    log.append("write")
                }
            }
            try near.finishWriting { near, error in
                #expect(error != nil)
                log.append("shutdown")
                near.close()
            }
            try loop.run(.noWait)
            try peer.closeWithReset()
        }
        #expect(log == ["write", "write", "write", "shutdown"])
    }

    @Test("N1: closeAfterWrites closes when the peer resets meanwhile")
    func closeAfterWrites() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            // Else the system may take megabytes of what is to wait here.
            try near.setSendBufferSize(65_536)
            try near.write([UInt8](repeating: 1, count: 8 << 20))
            near.closeAfterWrites()
            try loop.run(.noWait)
            try peer.closeWithReset()
        }
    }

    @Test func ourResetReachesThePeer() throws {
        var closed = 0
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try far.startReading(
                onBytes: { _, _ in },
                onEnd: { far, error in
                    errors.append(error)
                    far.close()
                })
            near.closeWithReset { _ in closed += 1 }
            #expect(near.isClosing)
            near.closeWithReset { _ in closed += 1 }
            near.close { _ in closed += 1 }
        }
        #expect(errors.map(\.?.code) == [.connectionReset] && closed == 3)
    }

    @Test func aResetCancelsWhatIsPending() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            for _ in 0..<2 {
                _ = try near.write([UInt8](repeating: 1, count: 8 << 20)) { _, error in
                    #expect(error?.code == .canceled)
                    log.append("write")
                }
            }
            _ = try near.read { _, result in
                if case .failure(let error) = result { log.append(error.code.name) }
            }
            near.closeWithReset { _ in log.append("closed") }
            try far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
        }
        #expect(log == ["write", "write", "ECANCELED", "closed"])
    }

    @Test("Guard: reset while a shutdown is under way, which libuv refuses, is a reset too")
    func resetDuringShutdown() throws {
        var errors: [UVError?] = []
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.write([UInt8](repeating: 1, count: 8 << 20))
            try near.finishWriting { _, error in
                #expect(error?.code == .canceled)
                log.append("shutdown")
            }
            near.closeWithReset { _ in log.append("closed") }
            try far.startReading(
                onBytes: { _, _ in },
                onEnd: { far, error in
                    errors.append(error)
                    far.close()
                })
        }
        #expect(errors.map(\.?.code) == [.connectionReset])
        #expect(log == ["shutdown", "closed"])
    }

    @Test func resetOfWhatHasNoConnectionIsAClose() throws {
        var closed = 0
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { _, _ in }
            for handle in [try TCPHandle(on: loop), try TCPHandle.pair(on: loop).0, listener] {
                handle.closeWithReset { _ in closed += 1 }
            }
            let connecting = try TCPHandle(on: loop)
            try connecting.connect(to: SocketAddress(host: "127.0.0.1", port: 1)) { _, error in
                #expect(error?.code == .canceled)
                closed += 1
            }
            connecting.closeWithReset { _ in closed += 1 }
            try loop.closeAllHandles()
        }
        #expect(closed == 5)
    }
}
