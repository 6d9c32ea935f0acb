import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ShutdownTests {
    @Test func thePeerReadsToTheEndAndMayAnswer() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.write([1])
            try near.finishWriting { near, error in
                #expect(error == nil && !near.isWritable && near.isReadable)
                log.append("done")
            }
            #expect(!near.isWritable)
            try near.startReading(
                onBytes: { _, bytes in log.append("answer \(bytes.count)") }, onEnd: { near, _ in near.close() })
            try far.startReading(
                onBytes: { _, bytes in log.append("request \(bytes.count)") },
                onEnd: { far, _ in
                    try! far.write([1, 2])
                    far.closeAfterWrites()
                })
        }
        #expect(log == ["done", "request 1", "answer 2"])
    }

    @Test func afterItWritesAreRefused() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.finishWriting()
            expectError(.socketShutdown) { try near.write([1]) }
            expectError(.socketShutdown) { try near.write([]) }
            expectError(.socketShutdown) { try near.write(contentsOf: [[1]]) }
            expectError(.socketShutdown) { try near.tryWrite([1].span) }
            expectError(.socketNotConnected) { try near.finishWriting() }
            try loop.run()
            expectError(.socketShutdown) { try near.write([1]) }
            expectError(.socketNotConnected) { try near.finishWriting() }
            near.close()
            far.close()
        }
    }

    @Test("The end comes after everything that was queued", arguments: [1, 3, 30])
    func afterQueuedWrites(_ writes: Int) throws {
        var received = 0
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            for index in 0..<writes {
                _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { _, error in
                    #expect(error == nil)
                    if index == writes - 1 { log.append("last write") }
                }
            }
            try near.finishWriting { near, error in
                #expect(error == nil)
                log.append("shutdown")
                near.close()
            }
            try far.startReading(
                onBytes: { _, bytes in received += bytes.count }, onEnd: { far, _ in far.close() })
        }
        #expect(received == writes * 5 << 20)
        #expect(log == ["last write", "shutdown"])
    }

    @Test func aCloseCancelsItOnce() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            for _ in 0..<3 {
                _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { _, error in
                    #expect(error?.code == .canceled)
                    log.append("write")
                }
            }
            try near.finishWriting { _, error in
                #expect(error?.code == .canceled)
                log.append("shutdown")
            }
            near.close { _ in log.append("closed") }
            far.close()
        }
        #expect(log == ["write", "write", "write", "shutdown", "closed"])
    }

    @Test("A close by the closure of an earlier write cancels the shutdown, after the writes that wait")
    func closedByAWrite() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { near, error in
                #expect(error == nil)
                log.append("first")
                near.close { _ in log.append("closed") }
            }
            _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { _, error in
                #expect(error?.code == .canceled)
                log.append("second")
            }
            try near.finishWriting { _, error in
                #expect(error?.code == .canceled)
                log.append("shutdown")
            }
            try far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
        }
        #expect(log == ["first", "second", "shutdown", "closed"])
    }

    @Test("A close by the closure of the last write cancels the shutdown behind it")
    func closedByTheLastWrite() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { _, _ in log.append("first") }
            _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { near, error in
                log.append("second")
                near.close { _ in log.append("closed") }
            }
            try near.finishWriting { _, error in
                #expect(error?.code == .canceled)
                log.append("shutdown")
            }
            try far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
        }
        #expect(log == ["first", "second", "shutdown", "closed"])
    }

    @Test func closeAfterWritesMayFollowAShutdown() throws {
        var received = 0
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.write([UInt8](repeating: 1, count: 5 << 20))
            try near.finishWriting { _, error in
                #expect(error == nil)
                log.append("shutdown")
            }
            near.closeAfterWrites()
            near.closeAfterWrites()
            #expect(!near.isClosing)
            try far.startReading(
                onBytes: { _, bytes in received += bytes.count }, onEnd: { far, _ in far.close() })
        }
        #expect(received == 5 << 20 && log == ["shutdown"])
    }

    @Test("closeAfterWrites tells when it has closed: after the last byte, again, after a close, without a connection")
    func closeAfterWritesTells() throws {
        var received = 0
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            _ = try near.write([UInt8](repeating: 1, count: 5 << 20)) { _, error in
                #expect(error == nil)
                log.append("sent")
            }
            near.closeAfterWrites { handle in
                #expect(handle === near)
                log.append("closed")
            }
            near.closeAfterWrites { _ in log.append("again") }
            try far.startReading(
                onBytes: { _, bytes in received += bytes.count }, onEnd: { far, _ in far.close() })
            try loop.run()
            near.closeAfterWrites { _ in Issue.record("called for a handle that was closed before") }

            let cut = try TCPHandle(on: loop)
            cut.closeAfterWrites { _ in log.append("not connected") }
            let (left, right) = try TCPHandle.tcpPair(on: loop)
            try left.write([UInt8](repeating: 1, count: 5 << 20))
            left.closeAfterWrites { _ in log.append("cut off") }
            left.close { _ in log.append("close") }
            right.close()
        }
        #expect(received == 5 << 20)
        #expect(Array(log.prefix(3)) == ["sent", "closed", "again"])
        #expect(log.dropFirst(3).sorted() == ["close", "cut off", "not connected"])
        #expect(log.firstIndex(of: "cut off")! < log.firstIndex(of: "close")!)
    }

    @Test func closeAfterWritesClosesAStreamThatIsShutDown() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.finishWriting()
            try loop.run()
            near.closeAfterWrites()
            #expect(near.isClosing)
            far.closeAfterWrites()
        }
    }

    @Test("N2: the client half-closes after its request and gets 10 MiB of answer, whole")
    func serverAnswersAfterTheEnd() throws {
        let answer = pattern(count: 10 << 20)
        var received: [UInt8] = []
        var ended = 0
        try withLoop { loop in
            let (client, server) = try TCPHandle.tcpPair(on: loop)
            try client.write([1, 2, 3])
            try client.finishWriting()
            try server.startReading(
                onBytes: { _, _ in },
                onEnd: { server, error in
                    #expect(error == nil)
                    try! server.write(answer)
                    server.closeAfterWrites()
                })
            try client.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) },
                onEnd: { client, error in
                    #expect(error == nil)
                    ended += 1
                    client.close()
                })
        }
        #expect(areEqual(received, answer) && ended == 1)
    }

    @Test("N2: we finish our output of 10 MiB first and read the rest then")
    func weFinishFirst() throws {
        let output = pattern(count: 10 << 20)
        var received: [UInt8] = []
        var rest: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.write(output)
            try near.finishWriting { near, _ in
                try! near.startReading(
                    onBytes: { _, bytes in rest.append(copying: bytes) }, onEnd: { near, _ in near.close() })
            }
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) },
                onEnd: { far, _ in
                    try! far.write(output)
                    far.closeAfterWrites()
                })
        }
        #expect(areEqual(received, output) && areEqual(rest, output))
    }
}
