import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.ownThread) struct DescriptorWaitTests {
    private func withPipe(
        _ body: @escaping @Sendable (EventLoop, FileDescriptor, FileDescriptor) async throws -> Void
    ) throws {
        try onLoop { loop in
            let ends = try FileDescriptor.pipe()
            try await body(loop, ends.readEnd, ends.writeEnd)
            try? ends.readEnd.close()
            try? ends.writeEnd.close()
        }
    }

    @Test("Bytes end a wait to read; several tasks wait for one descriptor")
    func readable() throws {
        try withPipe { loop, near, far in
            let waiting = (0..<3).map { _ in loop.spawn { try await loop.waitUntilReadable(near) } }
            try await loop.waitUntilIdle(waits: 3)
            _ = try far.writeAll([1])
            for task in waiting { try await task.value }
            // It is readable now: no wait.
            try await waitUntilReadable(near)
            var byte: [UInt8] = [0]
            #expect(try unsafe byte.withUnsafeMutableBytes { unsafe try near.read(into: $0) } == 1)
        }
    }

    @Test("The end of the bytes, and room to write")
    func endAndRoom() throws {
        try withPipe { loop, near, far in
            try await waitUntilWritable(far)
            try far.close()
            try await waitUntilReadable(near)
        }
    }

    @Test("A timeout and a cancellation end the wait and close what it had")
    func ends() throws {
        try withPipe { loop, near, far in
            await expectError(.timedOut) { try await loop.waitUntilReadable(near, timeout: .milliseconds(1)) }
            let waiting = loop.spawn { try await loop.waitUntilReadable(near) }
            try await loop.waitUntilIdle(waits: 1)
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            let before = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                try await loop.waitUntilWritable(far)
            }
            before.cancel()
            await #expect(throws: CancellationError.self) { try await before.value }
        }
    }

    @Test("From another thread; what is no descriptor to wait for is an error with its number")
    func errors() throws {
        try withPipe { loop, near, far in
            _ = try far.writeAll([1])
            try await Task.detached { try await loop.waitUntilReadable(near) }.value
            let error = await #expect(throws: UVError.self) {
                try await loop.waitUntilReadable(FileDescriptor(rawValue: 1 << 20))
            }
            #expect("\(try #require(error))".hasSuffix("(EBADF) in waitUntilReadable of descriptor 1048576"))
            let file = try FileDescriptor.open(FilePath("/proc/self/exe"), .readOnly)
            await expectError(.notPermitted) { try await loop.waitUntilReadable(file) }
            try file.close()
        }
    }

    @Test("A connection that is reset is ready, and keeps its error for its owner")
    func reset() throws {
        try onLoop { loop in
            let (near, far) = try FileDescriptor.tcpPair()
            let waiting = loop.spawn { try await loop.waitUntilReadable(near) }
            try await loop.waitUntilIdle(waits: 1)
            try far.closeWithReset()
            try await waiting.value
            #expect(throws: Errno.connectionReset) { try near.read(upTo: 1) }
            try near.close()
        }
    }
}
