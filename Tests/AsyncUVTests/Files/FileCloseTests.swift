import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Closing {
        @Test(arguments: FastPath.allCases) func useAfterClose(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put([1, 2, 3])
                let file = try await File.open(path, .readWrite)
                try await file.close()
                #expect(openFiles(in: folder).isEmpty)
                var buffer: [UInt8] = [0]
                await expect(.badFileDescriptor, of: path) { try await file.read(upTo: 1, at: 0) }
                await expect(.badFileDescriptor, of: path) { try await file.read(into: &buffer, at: 0) }
                await expect(.badFileDescriptor, of: path) { try await file.write([1], at: 0) }
                await expect(.badFileDescriptor, of: path) { try await file.append([1]) }
                await expect(.badFileDescriptor, of: path) { try await file.truncate(to: 0) }
                await expect(.badFileDescriptor, of: path) { try await file.sync() }
                await expect(.badFileDescriptor, of: path) { try await file.status() }
                await expect(.badFileDescriptor, of: path) { try await file.setPermissions(.ownerRead) }
                await expect(.badFileDescriptor, of: path) { try await file.setOwner(FileOwner()) }
                await expect(.badFileDescriptor, of: path) {
                    try await file.setTimes(accessed: .now, modified: .now)
                }
                await expect(.badFileDescriptor, of: path) { for try await _ in file.chunks(ofCount: 10) {} }
                await expect(.badFileDescriptor, of: path) { for try await _ in file.lines() {} }
                #expect(path.content == [1, 2, 3])
            }
        }

        @Test(arguments: FastPath.allCases) func twice(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                let file = try await File.open(path, .writeOnly, options: .create)
                let both = (0..<2).map { _ in loop.spawn { try await file.close() } }
                for task in both { try await task.value }
                try await file.close()
                try await Task.detached { try await file.close() }.value
                #expect(openFiles(in: folder).isEmpty)
            }
        }

        @Test("A second close waits for the first")
        func secondWaits() throws {
            try inFolder { loop, folder in
                let file = try await File.open(folder.appending("file"), .writeOnly, options: .create)
                let pool = try await FullPool(on: loop)
                let ended = Shared(0)
                let both = (0..<2).map { _ in
                    loop.spawn {
                        try await file.close()
                        #expect(openFiles(in: folder).isEmpty)
                        ended.change { $0 += 1 }
                    }
                }
                try await loop.waitUntilIdle()
                #expect(ended.value == 0)
                pool.release()
                for task in both { try await task.value }
            }
        }

        @Test("What is under way ends as usual; then the file is closed", arguments: FastPath.allCases)
        func underWay(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put([])
                let file = try await File.open(path, .readWrite)
                let pool = try await FullPool(on: loop)
                let writes = (0..<10).map { number in loop.spawn { try await file.write([1], at: Int64(number)) } }
                let status = loop.spawn { try await file.status() }
                try await loop.waitUntilIdle()
                let closing = loop.spawn { try await file.close() }
                try await loop.waitUntilIdle()
                await expect(.badFileDescriptor, of: path) { try await file.write([1], at: 0) }
                #expect(openFiles(in: folder) == [path.string])
                pool.release()
                for write in writes { try await write.value }
                _ = try await status.value
                try await closing.value
                #expect(openFiles(in: folder).isEmpty)
                #expect(path.content == [UInt8](repeating: 1, count: 10))
            }
        }

        @Test("Cancelled operations keep the descriptor until a thread is done with it")
        func cancelledUnderWay() throws {
            try inFolder(.off) { loop, folder in
                let path = folder.appending("file")
                try path.put([1])
                guard let held = HeldFile(path, .read) else { return }
                let file = try await File.open(path)
                let read = loop.spawn { try await file.read(upTo: 1, at: 0) }
                try await wait(on: loop) { ThreadPool.statistics.running == 1 }
                read.cancel()
                #expect(await failure(of: read) is CancellationError)
                let closing = loop.spawn { try await file.close() }
                try await loop.waitUntilIdle()
                #expect(openFiles(in: folder) == [path.string])
                held.release()
                try await closing.value
                #expect(openFiles(in: folder).isEmpty)
            }
        }

        @Test(arguments: FastPath.allCases) func inACancelledTask(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let file = try await File.open(folder.appending("file"), .writeOnly, options: .create)
                let onLoop = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    try await file.close()
                }
                onLoop.cancel()
                try await onLoop.value
                #expect(openFiles(in: folder).isEmpty)
                let other = try await File.open(folder.appending("file"))
                let elsewhere = Task.detached {
                    while !Task.isCancelled { await Task.yield() }
                    try await other.close()
                }
                elsewhere.cancel()
                try await elsewhere.value
                #expect(openFiles(in: folder).isEmpty)
            }
        }

        @Test("A file that is dropped closes itself, wherever that is", arguments: FastPath.allCases)
        func dropped(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put([1])
                for _ in 0..<100 { _ = try await File.open(path) }
                try await Task.detached { for _ in 0..<100 { _ = try await File.open(path, on: loop) } }.value
                // Dropped by its reader.
                for try await _ in try await File.open(path).chunks(ofCount: 1) {}
            }
        }

        @Test(
            "K2: withFile closes after an error and a cancellation, and passes on what the body throws",
            arguments: FastPath.allCases)
        func scope(_ fastPath: FastPath) throws {
            struct Oops: Error {}
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put([1])
                await #expect(throws: Oops.self) { try await File.withFile(path) { _ in throw Oops() } }
                #expect(openFiles(in: folder).isEmpty)
                let isInside = Shared(false)
                let task = loop.spawn {
                    try await File.withFile(path) { _ in
                        isInside.value = true
                        try await loop.sleep(for: .seconds(1_000))
                    }
                }
                // Not when the file is open: a cancelled open closes it, but later.
                try await wait(on: loop) { isInside.value }
                #expect(openFiles(in: folder) == [path.string])
                task.cancel()
                #expect(await failure(of: task) is CancellationError)
                #expect(openFiles(in: folder).isEmpty)
                // Closed by its own body.
                #expect(
                    try await File.withFile(path) { file in
                        try await file.close(); return 5
                    } == 5)
                await expect(.noSuchFileOrDirectory, of: "missing") { try await File.withFile("missing") { _ in } }
            }
        }
    }
}
