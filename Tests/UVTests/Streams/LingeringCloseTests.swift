import SystemPackage
import TestSupport
import Testing
import UV

/// `closeAfterWrites` while the peer still sends: what was written must arrive.
@Suite(.ownThread) struct LingeringCloseTests {
    @Test("N2: an early answer arrives whole, though the peer's bytes are never read", arguments: [1, 3 << 20])
    func earlyAnswer(_ size: Int) throws {
        let answer = [UInt8](repeating: 7, count: size)
        var closed = 0
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.writeAll([UInt8](repeating: 1, count: 1_000))
            try near.write(answer)
            near.closeAfterWrites { _ in closed += 1 }
            let client = PlainThread {
                // More comes when the answer is on its way already.
                try peer.writeAll([UInt8](repeating: 2, count: 100_000))
                let received = try peer.readToEnd()
                try peer.close()
                return received
            }
            try loop.run()
            #expect(closed == 1)
            let received = try client.value()
            #expect(areEqual(received, answer))
        }
    }

    @Test("A peer that never stops sending is cut off in the end")
    func endlessPeer() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            near.closeAfterWrites()
            let client = PlainThread {
                let chunk = [UInt8](repeating: 2, count: 1 << 20)
                var sent = 0
                defer { try? peer.close() }
                do {
                    while sent < 1 << 30 {
                        try peer.writeAll(chunk)
                        sent += chunk.count
                    }
                } catch let error as Errno where [.connectionReset, .brokenPipe].contains(error) {}
                return sent
            }
            try loop.run()
            #expect(try client.value() < 1 << 30)
        }
    }

    @Test("A peer that keeps its side open holds the socket for a while only, and has our end at once")
    func silentPeer() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            near.closeAfterWrites()
            try loop.run(.once)
            try #expect(peer.readToEnd().isEmpty)
            try loop.run()
            try peer.close()
        }
    }

    @Test("A loop that is to be dropped waits for no peer")
    func closeAllHandles() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.write([1])
            near.closeAfterWrites()
            while !near.isClosing { try loop.run(.once) }
            try loop.closeAllHandles()
            try loop.run(.noWait)
            #expect(!loop.isAlive)
            try #expect(peer.readToEnd() == [1])
            try peer.close()
        }
    }
}
