import SystemPackage
import TestSupport
import Testing
import UV

/// A peer that reset the connection is gone; that is not "never connected".
@Suite(.ownThread) struct GonePeerTests {
    @Test("N1: a shutdown after the peer's reset, noticed or not, says so", arguments: [true, false])
    func shutdownAfterAReset(isNoticed: Bool) throws {
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.closeWithReset()
            if isNoticed {
                try near.startReading(onBytes: { _, _ in }, onEnd: { _, error in errors.append(error) })
                try loop.run()
                #expect(errors.map(\.?.code) == [.connectionReset])
                errors = []
            }
            do throws(UVError) { try near.finishWriting { _, error in errors.append(error) } } catch {
                errors.append(error)
            }
            try loop.run()
            near.close()
        }
        #expect(errors.map(\.?.code) == [.brokenPipe])
    }

    @Test("N1: a shutdown behind queued writes, whose peer resets")
    func shutdownBehindWrites() throws {
        var errors: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.setSendBufferSize(65_536)
            _ = try near.write([UInt8](repeating: 1, count: 16 << 20)) { _, error in errors.append(error) }
            try near.finishWriting { _, error in errors.append(error) }
            try loop.run(.noWait)
            try peer.closeWithReset()
            try loop.run()
            near.close()
        }
        #expect(errors.count == 2)
        #expect(errors.allSatisfy { $0?.code == .connectionReset || $0?.code == .brokenPipe })
    }

    @Test("N1: a reset that a write has met is not a clean end for the reader")
    func resetMetByAWrite() throws {
        var received = 0
        var ends: [UVError?] = []
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.writeAll([1, 2, 3])
            try peer.closeWithReset()
            expectError(.connectionReset) { try near.write([1]) }
            try near.startReading(
                onBytes: { _, bytes in received += bytes.count }, onEnd: { _, error in ends.append(error) })
            try loop.run()
            near.close()
        }
        #expect(received <= 3 && ends.map(\.?.code) == [.connectionReset])
    }

    @Test("N1: reading again after the peer's reset")
    func readAgain() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.closeWithReset()
            try near.startReading(
                onBytes: { _, _ in }, onEnd: { _, error in #expect(error?.code == .connectionReset) })
            try loop.run()
            expectError(.connectionReset) {
                try near.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
            }
            near.close()
        }
    }

    @Test("Errors of reads, writes and ends name the peer")
    func names() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            let name = try near.remoteAddress.description
            var errors: [String] = []
            try peer.closeWithReset()
            try near.startReading(
                onBytes: { _, _ in },
                onEnd: { _, error in
                    #expect(error?.subject == name)
                    errors.append("\(error!)")
                })
            try loop.run()
            do { try near.write([1]) } catch { errors.append("\(error)") }
            do { try near.finishWriting() } catch { errors.append("\(error)") }
            near.close()
            do { try near.write([1]) } catch { errors.append("\(error)") }
            #expect(
                errors == [
                    "connection reset by peer (ECONNRESET) in read from \(name)",
                    "broken pipe (EPIPE) in write to \(name)",
                    "broken pipe (EPIPE) in finishWriting to \(name)",
                    "bad file descriptor (EBADF) in write of a closed connection with \(name)",
                ])
        }
    }

    @Test("Both sides know each other's names, however they were connected")
    func namesOfBothSides() throws {
        var errors: [String] = []
        var expected: [String] = []
        try withLoop { loop in
            let listener = try TCPHandle.listening(on: loop) { listener, connection in
                let server = try! connection.get()
                expected.append("\(try! server.remoteAddress)")
                server.close { _ in }
                do throws(UVError) { try server.write([1]) } catch { errors.append(error.subject ?? "") }
                listener.close()
            }
            let address = try listener.localAddress
            try TCPHandle(on: loop).connect(to: address) { client, _ in
                expected.append("\(address)")
                client.close()
                do throws(UVError) { try client.write([1]) } catch { errors.append(error.subject ?? "") }
            }
        }
        #expect(Set(errors) == Set(expected.map { "a closed connection with \($0)" }) && errors.count == 2)
    }
}
