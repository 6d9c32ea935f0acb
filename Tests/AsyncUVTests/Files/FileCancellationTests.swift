import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Something to be done with files, to be cancelled.
struct FileOperation: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Gets a folder with a file of 100,000 bytes, `file`, that is open, with a link to it, `link`, and with a directory
    /// that has a file, `tree`.
    let body: @Sendable (FilePath, File) async throws -> Void

    init(_ name: String, _ body: @escaping @Sendable (FilePath, File) async throws -> Void) {
        testDescription = name
        self.body = body
    }

    static let all: [FileOperation] = [
        .init("open") { folder, _ in _ = try await File.open(folder.appending("file")) },
        .init("open, new") { folder, _ in
            _ = try await File.open(folder.appending("new"), .writeOnly, options: .create)
        },
        .init("withFile") { folder, _ in try await File.withFile(folder.appending("file")) { _ in } },
        .init("read") { _, file in _ = try await file.read(upTo: 10, at: 0) },
        .init("read into") { _, file in
            var buffer = [UInt8](repeating: 0, count: 10)
            _ = try await file.read(into: &buffer, at: 0)
        },
        .init("write") { _, file in try await file.write([1, 2, 3], at: 0) },
        .init("append") { _, file in try await file.append([1, 2, 3]) },
        .init("truncate") { _, file in try await file.truncate(to: 10) },
        .init("sync") { _, file in try await file.sync() },
        .init("status of an open file") { _, file in _ = try await file.status() },
        .init("permissions of an open file") { _, file in try await file.setPermissions(.ownerReadWrite) },
        .init("owner of an open file") { _, file in try await file.setOwner(FileOwner()) },
        .init("times of an open file") { _, file in try await file.setTimes(accessed: .now, modified: .now) },
        .init("chunks") { _, file in for try await _ in file.chunks(ofCount: 1_000) {} },
        .init("lines") { _, file in for try await _ in file.lines() {} },
        .init("readFile") { folder, _ in _ = try await FileSystem.readFile(folder.appending("file")) },
        .init("writeFile") { folder, _ in try await FileSystem.writeFile(folder.appending("new"), [1, 2, 3]) },
        .init("status") { folder, _ in _ = try await FileSystem.status(of: folder.appending("file")) },
        .init("exists") { folder, _ in _ = try await FileSystem.exists(folder.appending("file")) },
        .init("access") { folder, _ in try await FileSystem.checkAccess(to: folder.appending("file"), for: .read) },
        .init("volume") { folder, _ in _ = try await FileSystem.volume(of: folder) },
        .init("permissions") { folder, _ in
            try await FileSystem.setPermissions(.ownerReadWrite, of: folder.appending("file"))
        },
        .init("owner") { folder, _ in try await FileSystem.setOwner(FileOwner(), of: folder.appending("file")) },
        .init("times") { folder, _ in
            try await FileSystem.setTimes(accessed: .now, modified: .now, of: folder.appending("file"))
        },
        .init("rename") { folder, _ in
            try await FileSystem.rename(folder.appending("link"), to: folder.appending("new"))
        },
        .init("link") { folder, _ in try await FileSystem.link(folder.appending("file"), at: folder.appending("new")) },
        .init("symlink") { folder, _ in try await FileSystem.symlink(to: "file", at: folder.appending("new")) },
        .init("readLink") { folder, _ in _ = try await FileSystem.readLink(folder.appending("link")) },
        .init("realPath") { folder, _ in _ = try await FileSystem.realPath(of: folder.appending("link")) },
        .init("makeDirectory") { folder, _ in try await FileSystem.makeDirectory(folder.appending("new")) },
        .init("makeDirectory, with those above") { folder, _ in
            try await FileSystem.makeDirectory(folder.appending("new/below/deep"), withIntermediates: true)
        },
        .init("copy") { folder, _ in
            _ = try await FileSystem.copy(folder.appending("file"), to: folder.appending("new"))
        },
        .init("copy of a tree") { folder, _ in
            _ = try await FileSystem.copy(folder.appending("tree"), to: folder.appending("new"))
        },
        .init("move") { folder, _ in try await FileSystem.move(folder.appending("link"), to: folder.appending("new")) },
        .init("remove") { folder, _ in try await FileSystem.remove(folder.appending("link")) },
        .init("remove of a tree") { folder, _ in try await FileSystem.remove(folder.appending("tree")) },
        .init("makeTemporaryDirectory") { folder, _ in _ = try await FileSystem.makeTemporaryDirectory(in: folder) },
        .init("makeTemporaryFile") { folder, _ in _ = try await FileSystem.makeTemporaryFile(in: folder) },
        .init("list") { folder, _ in for try await _ in FileSystem.entries(of: folder) {} },
        .init("sorted list") { folder, _ in _ = try await FileSystem.entries(of: folder).sorted() },
        .init("walk") { folder, _ in for try await _ in FileSystem.walk(folder) {} },
        .init("offload") { folder, file in
            try await file.loop.offload { try folder.appending("new").put([1]) }
        },
    ]

    /// Answered without the pool, or by threads of their own.
    var needsPool: Bool { testDescription != "offload" }
}

extension FileTests {
    @Suite("C1: cancelled at each await") struct Cancelling {
        private static func withOperands(
            _ fastPath: FastPath, _ body: @escaping @Sendable (EventLoop, FilePath, File) async throws -> Void
        ) throws {
            try inFolder(fastPath) { loop, folder in
                try folder.appending("file").put(pattern(100_000))
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appending("link").string, withDestinationPath: "file")
                try FileManager.default.createDirectory(
                    atPath: folder.appending("tree").string, withIntermediateDirectories: false)
                try folder.appending("tree/leaf").put([1])
                let file = try await File.open(folder.appending("file"), .readWrite)
                try await body(loop, folder, file)
                try await file.close()
            }
        }

        private static func expectUntouched(_ folder: FilePath) {
            #expect(folder.names == ["file", "link", "tree"] && folder.appending("tree").names == ["leaf"])
            #expect(folder.appending("file").content == pattern(100_000))
        }

        @Test("In a task that is cancelled already nothing starts", arguments: FileOperation.all, FastPath.allCases)
        func before(_ operation: FileOperation, _ fastPath: FastPath) throws {
            try Self.withOperands(fastPath) { loop, folder, file in
                var isAlone = false
                // Tests of other suites make trips through the pool as well, now and then.
                for _ in 0..<20 where !isAlone {
                    let trips = ThreadPool.statistics
                    let task = loop.spawn {
                        while !Task.isCancelled { await Task.yield() }
                        try await operation.body(folder, file)
                    }
                    task.cancel()
                    #expect(await failure(of: task) is CancellationError)
                    let elsewhere = Task.detached {
                        while !Task.isCancelled { await Task.yield() }
                        try await operation.body(folder, file)
                    }
                    elsewhere.cancel()
                    #expect(await failure(of: elsewhere) is CancellationError)
                    let after = ThreadPool.statistics
                    isAlone = after.finished + after.running + after.queued == trips.finished
                }
                if isModuleAlone { #expect(isAlone) }
                #expect(openFiles(in: folder) == [folder.appending("file").string])
                Self.expectUntouched(folder)
            }
        }

        @Test("Queued behind slow work it ends at once, and nothing has happened", arguments: FileOperation.all)
        func queued(_ operation: FileOperation) throws {
            guard operation.needsPool else { return }
            try Self.withOperands(.off) { loop, folder, file in
                let pool = try await FullPool(on: loop)
                let task = loop.spawn { try await operation.body(folder, file) }
                try await loop.waitUntilIdle()
                #expect(ThreadPool.statistics.queued > 0)
                task.cancel()
                #expect(await failure(of: task) is CancellationError)
                pool.release()
                try await restOfPool(on: loop)
                #expect(openFiles(in: folder) == [folder.appending("file").string])
                Self.expectUntouched(folder)
            }
        }

        @Test(
            "At some moment or other: done or cancelled, and the file is as good as before",
            arguments: FileOperation.all)
        func meanwhile(_ operation: FileOperation) throws {
            for fastPath in FastPath.allCases {
                try Self.withOperands(fastPath) { loop, folder, file in
                    for turns in 0..<20 {
                        let task = loop.spawn { try await operation.body(folder, file) }
                        for _ in 0..<turns { await Task.yield() }
                        if turns >= 10 { usleep(100) }
                        task.cancel()
                        let error = await failure(of: task)
                        // A name that the last round has made, or taken, is not there the next time.
                        let isExpected =
                            error is CancellationError
                            || [.fileExists, .noSuchFileOrDirectory].contains(code(of: error))
                        #expect(error == nil || isExpected, "\(error as Any)")
                    }
                    try await restOfPool(on: loop)
                    try await file.write(pattern(10), at: 0)
                    #expect(try await file.read(upTo: 10, at: 0) == pattern(10))
                    try await wait(on: loop) { openFiles(in: folder) == [folder.appending("file").string] }
                }
            }
        }

        @Test("A thread is in the middle of it: the task goes on at once, the thread later")
        func running() throws {
            guard HeldFile.isPossible else { return }
            try Self.withOperands(.off) { loop, folder, file in
                let path = folder.appending("file")
                let operations: [(HeldFile.Call, FileOperation)] = FileOperation.all.compactMap { operation in
                    switch operation.testDescription {
                    case "open", "withFile", "readFile", "copy": (.open, operation)
                    case "read", "read into", "chunks", "lines": (.read, operation)
                    default: nil
                    }
                }
                for (call, operation) in operations {
                    let held = try #require(HeldFile(path, call))
                    // Reads are held of files only that are opened after that.
                    let file = call == .read ? try await File.open(path) : file
                    let task = loop.spawn { try await operation.body(folder, file) }
                    try await wait(on: loop) { ThreadPool.statistics.running >= 1 }
                    // More than one hangs: the others too are the loop's to give up.
                    let queued = loop.spawn { try await operation.body(folder, file) }
                    try await loop.waitUntilIdle()
                    task.cancel()
                    queued.cancel()
                    #expect(await failure(of: task) is CancellationError, "\(operation.testDescription)")
                    #expect(await failure(of: queued) is CancellationError, "\(operation.testDescription)")
                    #expect(ThreadPool.statistics.running >= 1)
                    held.release()
                    try await restOfPool(on: loop)
                    if call == .read { try await file.close() }
                    try await wait(on: loop) { openFiles(in: folder) == [path.string] }
                }
                #expect(try await file.read(upTo: 100_000, at: 0) == pattern(100_000))
            }
        }

        @Test("F3: with the pool full, timers and an echo go on, and a timeout ends a read")
        func fullPool() throws {
            try Self.withOperands(.off) { loop, folder, file in
                let pool = try await FullPool(on: loop)
                await expectError(.timedOut) {
                    try await withTimeout(.milliseconds(5)) { try await file.read(upTo: 10, at: 0) }
                }
                let (near, far) = try await connectedPair()
                for number in 0..<100 {
                    try await near.write([UInt8(number)])
                    #expect(try await far.read() == [UInt8(number)])
                }
                // Look-ups have threads of their own.
                #expect(try await !Resolver.addresses(of: "localhost", port: 1).isEmpty)
                pool.release()
                #expect(try await file.read(upTo: 10, at: 0) == pattern(10))
            }
        }

        @Test("A file in memory needs no thread of the pool")
        func fullPoolButCached() throws {
            try Self.withOperands(.on) { loop, folder, file in
                _ = try await file.read(upTo: 100_000, at: 0)
                _ = try await FileSystem.readFile(folder.appending("file"))
                let pool = try await FullPool(on: loop)
                #expect(try await file.read(upTo: 10, at: 5) == Array(pattern(15)[5...]))
                #expect(try await FileSystem.readFile(folder.appending("file")) == pattern(100_000))
                pool.release()
            }
        }
    }
}
