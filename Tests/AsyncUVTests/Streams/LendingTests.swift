import AsyncUV
import TestSupport
import Testing
import UV

/// `withBytes`: parsers on the connection's own bytes.
@Suite(.ownThread) struct LendingTests {
    /// Takes messages of one length byte and so many bytes, all that are there as a whole.
    private static func messages(in bytes: Span<UInt8>) -> (used: Int, value: [[UInt8]]) {
        var messages: [[UInt8]] = []
        var used = 0
        while used < bytes.count, used + 1 + Int(bytes[used]) <= bytes.count {
            messages.append([UInt8](copying: bytes.extracting(used + 1..<used + 1 + Int(bytes[used]))))
            used += 1 + Int(bytes[used])
        }
        return (used, messages)
    }

    @Test("Messages in one piece, in many, and torn anywhere", arguments: Caller.allCases)
    func messages(_ caller: Caller) async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let sent = (0..<200).map { number in [UInt8](repeating: UInt8(number), count: number) }
            let reading = caller.spawn(on: loop) {
                var received: [[UInt8]] = []
                while let more = try await near.withBytes(Self.messages) { received += more }
                #expect(received == sent)
            }
            var stream = sent.flatMap { [UInt8($0.count)] + $0 }[...]
            var step = 1
            while !stream.isEmpty {
                try await far.write(stream.prefix(step))
                stream = stream.dropFirst(step)
                step = step % 700 + 13
                if caller == .onTheLoop, step % 3 == 0 { try await loop.waitUntilIdle() }
            }
            try await far.finishWriting()
            try await reading.value
            await near.close()
            await far.close()
        }
    }

    @Test("A body that uses a part gets the rest at once; one that uses nothing gets it when more has come")
    func usedAndRefused() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2, 3, 4])
            @Sendable func look(using count: Int) async throws -> [UInt8]? {
                try await near.withBytes { (used: count, value: [UInt8](copying: $0)) }
            }
            #expect(try await look(using: 1) == [1, 2, 3, 4])
            #expect(try await look(using: 1) == [2, 3, 4])
            #expect(try await look(using: 0) == [3, 4])
            let waiting = loop.spawn { try await look(using: 0) }
            try await loop.waitUntilIdle()
            try await far.write([5])
            #expect(try await waiting.value == [3, 4, 5])
            // What was taken otherwise is gone, and the rest is looked at anew; what is given back comes first.
            #expect(try await near.read(upTo: 1) == [3])
            #expect(try await look(using: 0) == [4, 5])
            try await near.unread([9, 10, 11])
            #expect(try await near.readUntil(10) == [9, 10])
            #expect(try await look(using: 3) == [11, 4, 5])
            try await far.finishWriting()
            #expect(try await look(using: 0) == nil)
            #expect(try await look(using: 0) == nil)
        }
    }

    @Test("The end within a message, a limit, and numbers that cannot be are errors; the bytes can be read")
    func errors() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2, 3])
            for count in [-1, 4, .max, .min] {
                await expectError(.invalidArgument) { try await near.withBytes { _ in (used: count, value: ()) } }
            }
            struct Refusal: Error {}
            await #expect(throws: Refusal.self) {
                try await near.withBytes { _ -> (used: Int, value: Void) in throw Refusal() }
            }
            try await near.withBytes(limit: 3) {
                #expect($0.count == 3); return (used: 0, value: ())
            }
            await expectError(.messageTooLong) {
                try await near.withBytes(limit: 3) { _ in (used: 1, value: ()) }
            }
            #expect(try await near.read(upTo: 1) == [1])
            try await near.withBytes { _ in (used: 0, value: ()) }
            try await far.finishWriting()
            for _ in 0..<2 {
                await expectError(.endOfFile) { try await near.withBytes { _ in (used: 1, value: ()) } }
            }
            #expect(try await near.readToEnd() == [2, 3])
            await near.close()
            await expectError(.badFileDescriptor) { try await near.withBytes { _ in (used: 1, value: ()) } }
        }
    }

    @Test("C1: cancelled while it waits, it loses nothing, and what was refused is there")
    func cancelled() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2])
            try await near.withBytes { _ in (used: 0, value: ()) }
            let waiting = loop.spawn {
                try await near.withBytes { bytes in
                    Issue.record("called with \(bytes.count) bytes")
                    return (used: 0, value: ())
                }
            }
            try await loop.waitUntilIdle()
            await expectError(.alreadyInProcess) { try await near.withBytes { _ in (used: 0, value: ()) } }
            await expectError(.alreadyInProcess) { try await near.readLine() }
            waiting.cancel()
            #expect(await failure(of: waiting) is CancellationError)
            try await far.write([3])
            try await loop.waitUntilIdle()
            #expect(try await near.withBytes { (used: $0.count, value: [UInt8](copying: $0)) } == [1, 2, 3])
        }
    }

    @Test("K3: closed in its own body, and while it waits")
    func closed() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair()
            try await far.write([1, 2])
            let handle = try await near.withHandle { LoopBox($0) }
            #expect(
                try await near.withBytes { bytes in
                    handle.value.close()
                    return (used: 1, value: bytes.count)
                } == 2)
            await expectError(.badFileDescriptor) { try await near.withBytes { _ in (used: 1, value: ()) } }
            let waiting = loop.spawn { try await far.withBytes { _ in (used: 0, value: ()) } }
            #expect(try await waiting.value == nil)
            let (other, peer) = try await connectedPair()
            let open = loop.spawn { try await other.withBytes { _ in (used: 0, value: ()) } }
            try await loop.waitUntilIdle()
            await other.close()
            #expect(code(of: await failure(of: open)) == .canceled)
            await peer.close()
        }
    }

    /// A handle that does not leave its loop.
    private struct LoopBox: @unchecked Sendable {
        let value: TCPHandle
        init(_ value: TCPHandle) { self.value = value }
    }
}
