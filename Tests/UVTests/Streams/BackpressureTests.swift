import SystemPackage
import TestSupport
import Testing
import UV

/// A writer that heeds `.queued` keeps its memory bounded, however slow the reader is.
@Suite(.ownThread) struct BackpressureTests {
    private let chunkSize = 64 << 10

    @Test("10 MiB to a stopped reader: the writer waits, and all arrives when it reads")
    func stoppedReader() throws {
        let bytes = pattern(count: 10 << 20)
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
            far.stopReading()
            let writer = Writer(near, bytes, chunkSize)
            writer.goOn()
            for _ in 0..<50 { try loop.run(.noWait) }
            #expect(!writer.isDone && received.isEmpty)
            #expect(near.writeQueueSize <= chunkSize && writer.most <= chunkSize)
            far.resumeReading()
            try loop.run()
            #expect(writer.isDone && writer.most <= chunkSize)
        }
        #expect(areEqual(received, bytes))
    }

    @Test("10 MiB through a reader that stops after each chunk")
    func stoppingReader() throws {
        let bytes = pattern(count: 10 << 20)
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let timer = try TimerHandle(on: loop)
            try far.startReading(
                onBytes: { far, bytes in
                    received.append(copying: bytes)
                    far.stopReading()
                    try! timer.start(after: .zero) { _ in far.resumeReading() }
                },
                onEnd: { far, _ in
                    far.close()
                    timer.close()
                })
            let writer = Writer(near, bytes, chunkSize)
            writer.goOn()
            try loop.run()
            #expect(writer.isDone && writer.most <= chunkSize)
        }
        #expect(areEqual(received, bytes))
    }

    @Test("10 MiB through a reader that takes one byte at a time")
    func byteByByte() throws {
        let bytes = pattern(count: 10 << 20)
        var received: [UInt8] = []
        received.reserveCapacity(bytes.count)
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let writer = Writer(near, bytes, chunkSize)
            writer.goOn()
            // Each chunk lies ahead; its bytes are asked for one by one.
            func take(_ stream: StreamHandle) {
                while true {
                    let isAhead = received.count % chunkSize != 0
                    let outcome = try! stream.read(upTo: isAhead ? 1 : chunkSize) { stream, result in
                        guard let chunk = try! result.get() else { return stream.close() }
                        received += chunk
                        take(stream)
                    }
                    switch outcome {
                    case .bytes(let chunk): received += chunk
                    case .waiting: return
                    case .ended: return stream.close()
                    }
                }
            }
            take(far)
            try loop.run()
            #expect(writer.isDone && writer.most <= chunkSize)
        }
        #expect(areEqual(received, bytes))
    }

    /// Writes in chunks and waits after each that did not fit.
    private final class Writer {
        private let stream: StreamHandle
        private let bytes: [UInt8]
        private let chunkSize: Int
        private var written = 0
        private(set) var most = 0
        var isDone: Bool { written == bytes.count }

        init(_ stream: StreamHandle, _ bytes: [UInt8], _ chunkSize: Int) {
            self.stream = stream
            self.bytes = bytes
            self.chunkSize = chunkSize
        }

        func goOn() {
            while !isDone {
                let end = min(written + chunkSize, bytes.count)
                let outcome = try! stream.write(Array(bytes[written..<end])) { [self] _, error in
                    #expect(error == nil)
                    goOn()
                }
                written = end
                most = max(most, stream.writeQueueSize)
                if outcome == .queued { break }
            }
            if isDone { stream.closeAfterWrites() }
        }
    }
}
