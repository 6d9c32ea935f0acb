import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite("F3: names that stand for no ordinary file") struct SpecialFiles {
        private static func fifo(in folder: FilePath) -> FilePath {
            let path = folder.appending("fifo")
            #expect(unsafe mkfifo(path.string, 0o600) == 0)
            return path
        }

        @Test("A reader and a writer of a FIFO wait for each other", arguments: FastPath.allCases)
        func bothSides(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let fifo = Self.fifo(in: folder)
                for readsFirst in [true, false] {
                    let first = loop.spawn {
                        if readsFirst { return try await FileSystem.readFile(fifo) }
                        try await FileSystem.writeFile(fifo, pattern(300_000))
                        return []
                    }
                    try await loop.sleep(for: .milliseconds(20))
                    if readsFirst {
                        try await FileSystem.writeFile(fifo, pattern(300_000))
                        #expect(try await first.value == pattern(300_000))
                    } else {
                        #expect(try await FileSystem.readFile(fifo) == pattern(300_000))
                        _ = try await first.value
                    }
                }
            }
        }

        @Test("C1: cancelled while they wait, at once; nothing is left waiting", arguments: FastPath.allCases)
        func cancelled(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let fifo = Self.fifo(in: folder)
                let waiting = [
                    loop.spawn { _ = try await FileSystem.readFile(fifo) },
                    loop.spawn { try await withTimeout(.milliseconds(10)) { _ = try await FileSystem.readFile(fifo) } },
                ]
                try await loop.sleep(for: .milliseconds(30))
                waiting[0].cancel()
                #expect(await failure(of: waiting[0]) is CancellationError)
                #expect(code(of: await failure(of: waiting[1])) == .timedOut)
                let lonely = folder.appending("lonely")
                #expect(unsafe mkfifo(lonely.string, 0o600) == 0)
                let writing = loop.spawn { try await FileSystem.writeFile(lonely, [1]) }
                for turns in [0, 30] {
                    try await loop.sleep(for: .milliseconds(turns))
                    writing.cancel()
                }
                #expect(await failure(of: writing) is CancellationError)
            }
        }

        @Test("K1: the loop ends while they wait") func shutdown() async throws {
            let folder = FilePath.systemTemporaryDirectory.appending("swift-uv-tests-\(UUID())")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder.string) }
            let fifo = Self.fifo(in: folder)
            let loop = try EventLoop()
            let reading = loop.spawn { try await FileSystem.readFile(fifo) }
            try await loop.sleep(for: .milliseconds(20))
            await loop.shutdown()
            let error = await failure(of: reading)
            #expect(code(of: error) == .canceled || error is CancellationError)
        }

        @Test("append waits for room in a pipe", arguments: FastPath.allCases)
        func append(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let fifo = Self.fifo(in: folder)
                let reading = loop.spawn { try await FileSystem.readFile(fifo) }
                try await loop.sleep(for: .milliseconds(20))
                try await File.withFile(fifo, .writeOnly) { file in
                    for _ in 0..<3 { try await file.append(pattern(100_000)) }
                }
                #expect(try await reading.value == pattern(100_000) + pattern(100_000) + pattern(100_000))
            }
        }
    }

    @Test("Lengths of 2 and 4 GiB, to a device that takes all of it", arguments: [1 << 31, 1 << 32])
    func lengths(_ size: Int) throws {
        try inFolder { _, _ in
            // Memory that nobody looks at, so that there is none.
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { $1 = size }
            try await File.withFile("/dev/null", .writeOnly) { file in
                try await file.write(bytes, at: 0)
                try await file.append(bytes)
            }
            try await FileSystem.writeFile("/dev/null", bytes)
        }
    }

    @Test("send without a free descriptor names the file") func sendWithoutDescriptor() async {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            // A thread has a copy of the socket; what is in memory needs none.
            try inFolder(.off) { _, folder in
                let path = folder.appending("file")
                try path.put([1, 2, 3])
                let file = try await File.open(path)
                let (connection, peer) = try await plainPeerPair()
                forbidDescriptors()
                await expect(.tooManyOpenFiles, of: path) { try await file.send(to: connection) }
                limitDescriptors(to: 1_000)
                try peer.close()
                await connection.close()
                try await file.close()
            }
        }
    }
}
