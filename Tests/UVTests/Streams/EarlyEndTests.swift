import SystemPackage
import TestSupport
import Testing
import UV

/// A read may be short although more bytes wait: it is not the last one because the peer has closed.
@Suite(.ownThread) struct EarlyEndTests {
    @Test(
        "A pair of TCP handles ends behind its last byte, also when reads end behind bytes that came with descriptors")
    func pair() throws {
        var received: [UInt8] = []
        var ends: [UVError?] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            let null = try FileDescriptor.open(FilePath("/dev/null"), .readOnly)
            for byte: UInt8 in 1...4 {
                let bytes: [UInt8] = [byte, byte]
                _ = try LocalMessage.send(bytes.span, descriptors: [null], over: far.fileDescriptor)
            }
            try null.close()
            far.close { _ in
                try! near.startReading { _, bytes in
                    received.append(copying: bytes)
                } onEnd: { near, error in
                    ends.append(error)
                    near.close()
                }
            }
        }
        #expect(received == [1, 1, 2, 2, 3, 3, 4, 4])
        #expect(ends == [nil])
    }

    @Test("A terminal's other end reads all that a program has written before it ended")
    func terminal() throws {
        let count = 6_000
        let terminal = try PseudoTerminal()
        let written = try terminal.program.writeAll([UInt8](repeating: 7, count: count))
        // The number stays taken, because the pseudo-terminal closes it.
        let null = try FileDescriptor.open(FilePath("/dev/null"), .readWrite)
        _ = try null.duplicate(as: terminal.program)
        try null.close()
        var received = 0
        try withLoop { loop in
            let person = try TTYHandle(on: loop, terminal.person)
            try person.startReading { _, bytes in
                received += bytes.count
            } onEnd: { person, _ in
                person.close()
            }
        }
        #expect(received == written)
    }
}
