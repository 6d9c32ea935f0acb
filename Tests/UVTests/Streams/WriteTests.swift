import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct WriteTests {
    @Test func whatFitsIsSentAtOnceAndItsClosureDropped() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            let span: [UInt8] = [4, 5]
            try #expect(near.write([1, 2, 3], onDone: unexpected) == .sent)
            try #expect(near.write(span.span, onDone: unexpected) == .sent)
            try #expect(near.write(contentsOf: [[6], [], [7, 8]], onDone: unexpected) == .sent)
            try #expect(near.tryWrite([9].span) == 1)
            #expect(near.writeQueueSize == 0)
            near.closeAfterWrites()
            try loop.run()
            try #expect(peer.readToEnd() == [1, 2, 3, 4, 5, 6, 7, 8, 9])
            try peer.close()
        }
    }

    @Test("B1: nothing to write is sent, and never an assertion")
    func nothing() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            let empty: [UInt8] = []
            try #expect(near.write(empty, onDone: unexpected) == .sent)
            try #expect(near.write(empty.span, onDone: unexpected) == .sent)
            try #expect(near.write(contentsOf: [], onDone: unexpected) == .sent)
            try #expect(near.write(contentsOf: [[], [], []], onDone: unexpected) == .sent)
            try #expect(near.tryWrite(empty.span) == 0)
            near.closeAfterWrites()
            try loop.run()
            try #expect(peer.readToEnd().isEmpty)
            try peer.close()
        }
    }

    @Test("Guard: queued, small, vectored, tried and empty writes keep their order, and each closure its place")
    func order() throws {
        let source = Source()
        var received: [UInt8] = []
        var done: [Int] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let outcome = try near.write(source.take(8 << 20)) { _, error in done.append(0) }
            #expect(outcome == .queued)
            for round in 0..<50 {
                try writeEachWay(near, source) { index, error in
                    #expect(error == nil)
                    done.append(round * 5 + index)
                }
            }
            #expect(near.writeQueueSize > 0)
            near.closeAfterWrites()
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
        }
        #expect(areEqual(received, source.all))
        #expect(done == Array(0...250))
    }

    private func writeEachWay(
        _ stream: StreamHandle, _ source: Source, _ done: @escaping (Int, UVError?) -> Void
    ) throws {
        let outcomes = [
            try stream.write(source.take(10)) { done(1, $1) },
            try stream.write(source.take(20).span),
            try stream.write([]) { done(2, $1) },
            try stream.write(contentsOf: []) { done(3, $1) },
            try stream.write(contentsOf: [[], source.take(3), [], source.take(5_000), []]) { done(4, $1) },
            try stream.write(source.take(100_000).span) { done(5, $1) },
        ]
        #expect(outcomes.allSatisfy { $0 == .queued })
        try #expect(stream.write([]) == .sent)
        try #expect(stream.tryWrite([1, 2, 3].span) == 0, "others wait")
    }

    @Test("Queued writes of nothing wait for their turn, and can be taken back before it")
    func queuedNothing() throws {
        var done: [Int] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.queueWrite([], droppingFirst: 0) { _, error in
                #expect(error == nil)
                done.append(0)
            }
            #expect(done.isEmpty)
            _ = try near.write([UInt8](repeating: 0, count: 8 << 20)) { _, _ in done.append(1) }
            let tags = (2..<5).map { _ in Tag() }
            for (number, tag) in zip(2..., tags) {
                try near.queueWrite([[], []], droppingFirst: 0, tag: tag) { _, _ in done.append(number) }
            }
            #expect(near.takeBack(tags[1]) && !near.takeBack(tags[1]))
            near.closeAfterWrites()
            try far.startReading(onBytes: { _, _ in }, onEnd: { far, _ in far.close() })
        }
        #expect(done == [0, 1, 2, 4])
    }

    private final class Tag {}

    #if os(Linux)
    @Test("A write that does not fit asks the system once, not a second time in vain", arguments: [1, 3])
    func oneCall(_ chunks: Int) throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let chunk = [UInt8](repeating: 1, count: 8 << 20)
            let before = systemWrites()
            let outcome = try near.write(contentsOf: [[UInt8]](repeating: chunk, count: chunks))
            #expect(outcome == .queued)
            #expect(systemWrites() - before == 1)
            var received = 0
            near.closeAfterWrites()
            try far.startReading(
                onBytes: { _, bytes in received += bytes.count }, onEnd: { far, _ in far.close() })
            try loop.run()
            #expect(received == chunks * chunk.count)
        }
    }

    /// How often this thread has asked the system to write.
    private func systemWrites() -> Int {
        let text = (try? String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("syscw: ") }
        return line.flatMap { Int($0.dropFirst(7)) } ?? 0
    }
    #endif

    @Test("A text is written in UTF-8") func text() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try near.write("größer\n")
            try #expect(near.write("日本", onDone: unexpected) == .sent)
            near.closeAfterWrites()
            try #expect(peer.read(upTo: 100) == Array("größer\n日本".utf8))
            try peer.close()
        }
    }

    @Test("Guard: thousands of queued writes leave in a few turns, not one a turn")
    func fewTurns() throws {
        var turns = 0
        var done = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try near.write([UInt8](repeating: 0, count: 8 << 20))
            for _ in 0..<20_000 { _ = try near.write([1, 2, 3, 4]) { _, _ in done += 1 } }
            near.closeAfterWrites()
            let check = try CheckHandle(on: loop)
            check.keepsLoopAlive = false
            var counting = false
            try check.start { _ in if counting { turns += 1 } }
            try far.startReading(
                onBytes: { _, _ in if near.writeQueueSize < 79_000 { counting = true } },
                onEnd: { far, _ in
                    far.close()
                    check.close()
                })
        }
        #expect(done == 20_000)
        #expect(turns < 200)
    }

    @Test("Guard: more chunks than one system call takes", arguments: [1_023, 1_024, 1_025, 5_000])
    func manyChunks(_ count: Int) throws {
        let chunks = (0..<count).map { index in pattern(count: index % 7, from: index) }
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            let outcome = try near.write(contentsOf: chunks)
            #expect(outcome == (count == 5_000 ? .queued : .sent), "an empty chunk is none")
            try near.write([1])
            let tried = try near.tryWrite([2].span)
            near.closeAfterWrites()
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
            try loop.run()
            if tried == 1 { #expect(received.popLast() == 2) }
        }
        #expect(areEqual(received, chunks.flatMap { $0 } + [1]))
    }

    @Test("Guard: a close after writes of which the system had only the first cancels the others")
    func closeBetween() throws {
        var log: [String] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            _ = try near.write(contentsOf: [[UInt8]](repeating: [1], count: 5_000)) { _, error in
                log.append(error?.code.name ?? "done")
            }
            _ = try near.write([2]) { _, error in log.append(error?.code.name ?? "done") }
            near.close()
            far.close()
        }
        #expect(log == ["ECANCELED", "ECANCELED"])
    }

    @Test("A queued vectored write is whole and in order, whatever the system took at once")
    func largeChunks() throws {
        let chunks = (0..<40).map { pattern(count: 300_000, from: $0) }
        var received: [UInt8] = []
        var done = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            try #expect(near.write(contentsOf: chunks) { _, _ in done += 1 } == .queued)
            #expect(near.writeQueueSize > 0)
            near.closeAfterWrites()
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
        }
        #expect(areEqual(received, chunks.flatMap { $0 }) && done == 1)
    }

    @Test func queuedWritesAreCanceledAtCloseOnceAndInOrder() throws {
        var done: [Int] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            // Else the system may take megabytes of what is to wait here.
            try near.setSendBufferSize(65_536)
            for index in 0..<10 {
                _ = try near.write([UInt8](repeating: 0, count: 4 << 20)) { near, error in
                    #expect(error?.code == .canceled && near.isClosing)
                    #expect(
                        error?.description.hasPrefix("operation canceled (ECANCELED) in write to 127.0.0.1:") == true)
                    done.append(index)
                }
            }
            near.close { _ in done.append(10) }
            #expect(done.isEmpty, "not inside close")
            far.close()
        }
        #expect(done == Array(0...10))
    }

    @Test func aWriteInsideAWritesClosureFollows() throws {
        var received: [UInt8] = []
        var rounds = 0
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            func send(_ stream: StreamHandle) {
                rounds += 1
                guard rounds <= 5 else { return stream.closeAfterWrites() }
                let outcome = try! stream.write(pattern(count: 6 << 20, from: (rounds - 1) * 6 << 20)) {
                    stream, error in
                    #expect(error == nil)
                    send(stream)
                }
                if outcome == .sent { send(stream) }
            }
            send(near)
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
        }
        #expect(areEqual(received, pattern(count: 30 << 20)))
    }

    @Test func theWriterMayGoOnWithItsArray() throws {
        var received: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.tcpPair(on: loop)
            var bytes = [UInt8](repeating: 1, count: 8 << 20)
            try near.write(bytes)
            for index in stride(from: 0, to: bytes.count, by: 1_000) { bytes[index] = 2 }
            near.closeAfterWrites()
            try far.startReading(
                onBytes: { _, bytes in received.append(copying: bytes) }, onEnd: { far, _ in far.close() })
        }
        #expect(areEqual(received, [UInt8](repeating: 1, count: 8 << 20)))
    }

    @Test("Guard: writing to a peer that is gone is an error, not the end of the process")
    func brokenPipe() throws {
        try withLoop { loop in
            let (near, peer) = try TCPHandle.withPlainPeer(on: loop)
            try peer.closeWithReset()
            var errors: [UVError] = []
            for _ in 0..<3 {
                do throws(UVError) { _ = try near.write([1], onDone: unexpected) } catch { errors.append(error) }
            }
            #expect(errors.count == 3)
            #expect(errors.allSatisfy { [.connectionReset, .brokenPipe].contains($0.code) })
            #expect(near.writeQueueSize == 0)
            near.close()
        }
    }

    private func unexpected(_: StreamHandle, _ error: UVError?) {
        Issue.record("called with \(String(describing: error))")
    }
}

/// Hands out the pattern piece by piece.
private final class Source {
    private(set) var all: [UInt8] = []

    func take(_ count: Int) -> [UInt8] {
        let bytes = pattern(count: count, from: all.count)
        all += bytes
        return bytes
    }
}
