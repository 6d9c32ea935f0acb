import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Sending {
        /// A file that is open, a connection, and its peer: a plain socket.
        private static func withOperands(
            bytes count: Int, _ fastPath: FastPath = .on,
            _ body: @escaping @Sendable (EventLoop, File, TCPConnection, FileDescriptor) async throws -> Void
        ) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(count))
                let file = try await File.open(path, .readWrite)
                let (connection, peer) = try await plainPeerPair()
                try await body(loop, file, connection, peer)
                await connection.close()
                try await file.close()
            }
        }

        @Test("All of it, in order, behind what was written before", arguments: FastPath.allCases)
        func whole(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 5_000_000, fastPath) { loop, file, connection, peer in
                let progress = Shared<[Int64]>([])
                let sending = loop.spawn {
                    try await connection.write(Array("head".utf8))
                    let sent = try await file.send(to: connection) { done in progress.change { $0.append(done) } }
                    try await connection.write(Array("tail".utf8))
                    try await connection.finishWriting()
                    return sent
                }
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd() } }
                #expect(try await sending.value == 5_000_000)
                let isWhole = received == Array("head".utf8) + pattern(5_000_000) + Array("tail".utf8)
                #expect(isWhole, "\(received.count) bytes")
                #expect(progress.value == progress.value.sorted() && progress.value.last == 5_000_000)
            }
        }

        @Test(
            "A timeout while the peer does not read: what is written next stands behind what was sent",
            arguments: FastPath.allCases)
        func timeout(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 20_000_000, fastPath) { loop, file, connection, peer in
                let (start, time) = (LoopClock.Instant.now, Duration.milliseconds(20))
                await expect(.timedOut, of: file.path) { try await file.send(to: connection, timeout: time) }
                #expect(LoopClock.Instant.now - start >= time)
                let ending = loop.spawn {
                    try await connection.write("tail")
                    try await connection.finishWriting()
                }
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd() } }
                try await ending.value
                let sent = received.count - 4
                let isAPart = received == Array(pattern(20_000_000).prefix(sent)) + Array("tail".utf8)
                #expect(isAPart && sent < 20_000_000, "\(sent) bytes")
            }
        }

        @Test("A timeout ends it between two pieces, too", arguments: FastPath.allCases)
        func timeoutBetweenPieces(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 20_000_000, fastPath) { loop, file, connection, peer in
                let reading = Task.detached { try await onThread { try peer.closeAfter { try peer.readToEnd() } } }
                // The loop's own clock stands still meanwhile.
                let (start, time, pieces) = (ContinuousClock.now, Duration.milliseconds(20), Shared(0))
                await expect(.timedOut, of: file.path) {
                    try await file.send(to: connection, timeout: time) { _ in
                        pieces.change { $0 += 1 }
                        while ContinuousClock.now - start < time * 2 { sched_yield() }
                    }
                }
                #expect(pieces.value <= 1)
                await connection.close()
                let received = try await reading.value
                #expect(received.count <= 1 << 20)
            }
        }

        @Test("Over a connection of another loop, from either loop and from elsewhere", arguments: FastPath.allCases)
        func otherLoop(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(5_000_000))
                let file = try await Directory.open(folder).open("file")
                let other = try EventLoop()
                let (connection, peer) = try await plainPeerPair(on: other)
                let reading = Task.detached { try await onThread { try peer.closeAfter { try peer.readToEnd() } } }
                #expect(try await file.send(to: connection) == 5_000_000)
                #expect(try await other.spawn { try await file.send(to: connection, from: 10, count: 20) }.value == 20)
                #expect(try await Task.detached { try await file.send(to: connection, count: 10) }.value == 10)
                await connection.close()
                await expectError(.badFileDescriptor) { try await file.send(to: connection) }
                let content = pattern(5_000_000)
                let isWhole = try await reading.value == content + content[10..<30] + content[..<10]
                #expect(isWhole)
                await other.shutdown()
                await expectError(.canceled) { try await file.send(to: connection) }
                try await file.close()
            }
        }

        @Test("C1: over a connection of another loop: cancelled, and closed, while the peer does not read")
        func otherLoopEnds() throws {
            try inFolder { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(64 << 20))
                let file = try await File.open(path)
                let other = try EventLoop()
                for isCancelled in [true, false] {
                    let (connection, peer) = try await plainPeerPair(on: other)
                    let progress = Shared(Int64(0))
                    let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                    try await wait(on: loop) { progress.value > 0 }
                    if isCancelled { sending.cancel() } else { await connection.closeWithReset() }
                    let error = await failure(of: sending)
                    let isExpected = isCancelled ? error is CancellationError : error is UVError
                    #expect(isExpected, "\(String(describing: error))")
                    await connection.closeWithReset()
                    try peer.close()
                }
                try await file.close()
                await other.shutdown()
            }
        }

        @Test("N4: to a peer that does not read it waits no longer than the connection's idle timeout")
        func idleTimeout() throws {
            try Self.withOperands(bytes: 32_000_000) { _, file, connection, peer in
                try await connection.setIdleTimeout(.milliseconds(20))
                let start = LoopClock.Instant.now
                await expectError(.timedOut) { try await file.send(to: connection) }
                #expect(LoopClock.Instant.now - start >= .milliseconds(20))
                await connection.closeWithReset()
                try peer.close()
            }
        }

        @Test(arguments: FastPath.allCases) func parts(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 10_000, fastPath) { _, file, connection, peer in
                #expect(try await file.send(to: connection, from: 100, count: 50) == 50)
                #expect(try await file.send(to: connection, from: 9_990, count: 50) == 10)
                #expect(try await file.send(to: connection, from: 9_999) == 1)
                #expect(try await file.send(to: connection, from: 10_000) == 0)
                #expect(try await file.send(to: connection, from: 1 << 40) == 0)
                #expect(try await file.send(to: connection, count: 0) == 0)
                for (offset, count) in [(-1, nil), (.min, nil), (0, -1), (0, Int64.min)] as [(Int64, Int64?)] {
                    await expect(.invalidArgument, of: file.path) {
                        try await file.send(to: connection, from: offset, count: count)
                    }
                }
                await connection.close()
                let content = pattern(10_000)
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd() } }
                #expect(received == Array(content[100..<150] + content[9_990...] + content[9_999...]))
            }
        }

        @Test("A pseudo-file, which the system cannot send itself, and a directory", arguments: FastPath.allCases)
        func others(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 0, fastPath) { _, _, connection, peer in
                let path: FilePath = "/proc/filesystems"
                let sent = try await File.withFile(path) { try await $0.send(to: connection) }
                try await File.withFile("/dev/zero") { (file) async throws in
                    #expect(try await file.send(to: connection, count: 100_000) == 100_000)
                }
                await expect(.isDirectory, of: "/tmp") {
                    try await File.withFile("/tmp") { try await $0.send(to: connection) }
                }
                await connection.close()
                let expected = try #require(path.content) + [UInt8](repeating: 0, count: 100_000)
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd() } }
                #expect(sent == Int64(expected.count - 100_000))
                let isWhole = received == expected
                #expect(isWhole, "\(received.count) bytes")
            }
        }

        @Test("A file that is cut while it is sent ends early", arguments: FastPath.allCases)
        func cut(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 40 << 20, fastPath) { loop, file, connection, peer in
                let progress = Shared(Int64(0))
                let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                try await wait(on: loop) { progress.value > 0 }
                try await file.truncate(to: 1_000)
                let reading = Task.detached {
                    try await onThread { try peer.closeAfter { try peer.readToEnd().count } }
                }
                let sent = try await sending.value
                await connection.close()
                #expect(try await reading.value == Int(sent))
                #expect(sent < 40 << 20)
            }
        }

        @Test("A peer that does not read keeps the rest in the file, not in memory", arguments: FastPath.allCases)
        func slowPeer(_ fastPath: FastPath) async {
            // In a process of its own, because the memory is the process's.
            await #expect(processExitsWith: .success) { [isOn = (fastPath == .on) as Bool] in
                try Sending.withOperands(bytes: 64 << 20, isOn ? .on : .off) { loop, file, connection, peer in
                    let before = residentBytes()
                    let progress = Shared(Int64(0))
                    let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                    // The system's buffers are full when nothing goes on any more.
                    var last: Int64 = -1
                    while progress.value != last || last == 0 {
                        last = progress.value
                        try await loop.sleep(for: .milliseconds(50))
                    }
                    #expect(last < 64 << 20)
                    if !isSanitized { #expect(residentBytes() - before < 8 << 20) }
                    let received = try await onThread { () throws -> Int in
                        var count = 0
                        while count < 64 << 20 { count += try peer.read(upTo: 1 << 20).count }
                        try peer.close()
                        return count
                    }
                    #expect(received == 64 << 20)
                    #expect(try await sending.value == 64 << 20)
                }
            }
        }

        @Test(
            "C1: cancelled while the peer does not read, before, and with the pool full", arguments: FastPath.allCases)
        func cancellation(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 64 << 20, fastPath) { loop, file, connection, peer in
                let progress = Shared(Int64(0))
                let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                try await wait(on: loop) { progress.value > 0 }
                sending.cancel()
                #expect(await failure(of: sending) is CancellationError)
                let before = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    try await file.send(to: connection)
                }
                before.cancel()
                #expect(await failure(of: before) is CancellationError)
                let reading = Task.detached { try await onThread { try peer.closeAfter { try peer.readToEnd() } } }
                // What is in memory does not wait for the pool.
                if fastPath == .off {
                    let pool = try await FullPool(on: loop)
                    let queued = loop.spawn { try await file.send(to: connection) }
                    try await loop.waitUntilIdle()
                    queued.cancel()
                    #expect(await failure(of: queued) is CancellationError)
                    pool.release()
                    try await restOfPool(on: loop)
                }
                await connection.close()
                // What has left is the file's beginning.
                let received = try await reading.value
                #expect(received.count >= progress.value)
                let isBeginning = received == Array(pattern(64 << 20)[..<received.count])
                #expect(isBeginning)
            }
        }

        @Test("C1: cancelled while a thread sends a piece: what is written next stands behind the piece")
        func writeAfterCancellation() throws {
            // A thread, because the loop's would be held as well.
            try Self.withOperands(bytes: 10_000, .off) { loop, file, connection, peer in
                guard let held = HeldFile(file.path, .read) else { return }
                // Reads are held of files only that are opened after that.
                let file = try await File.open(file.path)
                let sending = loop.spawn { try await file.send(to: connection) }
                try await wait(on: loop) { ThreadPool.statistics.running == 1 }
                sending.cancel()
                let writing = loop.spawn {
                    let error = await failure(of: sending)
                    try await connection.write(Array("tail".utf8))
                    return error
                }
                try await loop.waitUntilIdle()
                held.release()
                #expect(try await writing.value is CancellationError)
                await connection.close()
                try await file.close()
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd() } }
                #expect(received == pattern(10_000) + Array("tail".utf8))
            }
        }

        @Test("K1: the loop ends while a thread sends a piece")
        func shutdown() throws {
            try inFolder(.off) { other, folder in
                let path = folder.appending("file")
                try path.put(pattern(10_000))
                guard let held = HeldFile(path, .read) else { return }
                let loop = try EventLoop()
                let (connection, peer) = try await loop.spawn { try await plainPeerPair(on: loop) }.value
                let file = try await File.open(path, on: loop)
                let sending = loop.spawn { try await file.send(to: connection) }
                try await wait(on: other) { ThreadPool.statistics.running == 1 }
                let sleeping = loop.spawn { try await loop.sleep(for: .seconds(1_000)) }
                let ending = Task.detached { await loop.shutdown() }
                // Now the loop is about to end, and waits for the thread.
                #expect(code(of: await failure(of: sleeping)) == .canceled)
                held.release()
                #expect(code(of: await failure(of: sending)) == .canceled)
                await ending.value
                try peer.close()
            }
        }

        @Test(
            "A peer that resets ends it with an error, while data flows or not", arguments: [false, true],
            FastPath.allCases)
        func reset(_ reads: Bool, _ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 64 << 20, fastPath) { loop, file, connection, peer in
                let progress = Shared(Int64(0))
                let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                try await wait(on: loop) { progress.value > 0 }
                if reads { _ = try await onThread { try peer.read(upTo: 1 << 20) } }
                try peer.closeWithReset()
                let error = await failure(of: sending)
                #expect([.connectionReset, .brokenPipe].contains(code(of: error)), "\(error as Any)")
                #expect((error as? UVError)?.description.contains("descriptor \(peer.rawValue) ") != true)
            }
        }

        @Test(
            "A connection that is closed on this side ends it, although the peer does not read",
            arguments: FastPath.allCases)
        func closedHere(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 64 << 20, fastPath) { loop, file, connection, peer in
                let progress = Shared(Int64(0))
                let sending = loop.spawn { try await file.send(to: connection) { progress.value = $0 } }
                var last: Int64 = -1
                while progress.value != last || last == 0 {
                    last = progress.value
                    try await loop.sleep(for: .milliseconds(20))
                }
                await connection.close()
                let error = await failure(of: sending)
                #expect([.canceled, .badFileDescriptor].contains(code(of: error)), "\(error as Any)")
                #expect(
                    code(of: await failure(of: loop.spawn { try await file.send(to: connection) }))
                        == .badFileDescriptor)
                // The peer is told, too.
                let received = try await onThread { try peer.closeAfter { try peer.readToEnd().count } }
                #expect(received < 64 << 20)
            }
        }

        @Test("What is in memory leaves without a thread, and others run meanwhile")
        func withoutThreads() throws {
            try Self.withOperands(bytes: 20 << 20) { loop, file, connection, peer in
                // The pool finds out what volume it is.
                _ = try await file.status()
                guard LocalProbe.isLocal(file.path), FastPath.usual == .on else { return try peer.close() }
                let others = Shared(0)
                let counting = loop.spawn {
                    while !Task.isCancelled {
                        others.change { $0 += 1 }
                        await Task.yield()
                    }
                }
                let rounds = Shared(0)
                let reading = Task.detached { try await onThread { try peer.closeAfter { try peer.readToEnd() } } }
                try await expectNoTrips {
                    try await file.send(to: connection)
                    rounds.change { $0 += 1 }
                }
                counting.cancel()
                await connection.close()
                let content = pattern(20 << 20)
                let isWhole = try await reading.value == Array(repeatElement(content, count: rounds.value).joined())
                #expect(isWhole)
                #expect(others.value > 4)
            }
        }

        @Test("The file is closed: no descriptor, no bytes", arguments: FastPath.allCases)
        func closedFile(_ fastPath: FastPath) throws {
            try Self.withOperands(bytes: 10, fastPath) { _, file, connection, peer in
                try await file.close()
                await expect(.badFileDescriptor, of: file.path) { try await file.send(to: connection) }
                await connection.close()
                #expect(try await onThread { try peer.closeAfter { try peer.readToEnd() } } == [])
            }
        }
    }
}
