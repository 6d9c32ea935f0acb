import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    /// What is opened below a directory, on the loop's thread and in the pool.
    @Suite struct Below {
        /// A directory with files and links in it, and a secret beside it.
        private static func withDirectory(
            _ fastPath: FastPath, _ body: @escaping @Sendable (EventLoop, FilePath, Directory) async throws -> Void
        ) throws {
            try inFolder(fastPath) { loop, folder in
                let root = folder.appending("root")
                try FileManager.default.createDirectory(
                    atPath: root.appending("a").string, withIntermediateDirectories: true)
                try folder.appending("secret").put([9])
                try root.appending("file").put([1])
                try root.appending("a").appending("file").put([2])
                for (name, target) in [
                    ("in", "a/../file"), ("out", "../secret"), ("way", ".."), ("absolute", root.string + "/file"),
                    ("none", "nothing"),
                ] {
                    try FileManager.default.createSymbolicLink(
                        atPath: root.appending(name).string, withDestinationPath: target)
                }
                let directory = try await Directory.open(root)
                try await body(loop, root, directory)
                try await directory.close()
            }
        }

        @Test("Inside, by links too; nothing outside; errors name the whole path", arguments: FastPath.allCases)
        func paths(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                #expect(directory.path == root && "\(directory)" == root.string)
                // Twice: the first time may be the pool's.
                for _ in 0..<2 {
                    let files: [(FilePath, UInt8)] = [("file", 1), ("in", 1), ("a/file", 2), ("a/../file", 1)]
                    for (path, content) in files {
                        let file = try await directory.open(path)
                        #expect(try await file.read(upTo: 9, at: 0) == [content])
                        #expect(file.path == root.appending(path.components))
                        #expect(try await file.status().size == 1)
                        try await file.close()
                        #expect(try await directory.readFile(path) == [content])
                        #expect(try await directory.status(of: path).kind == .regular)
                    }
                    for path in ["..", "../secret", "out", "way/secret", "absolute", "/"] as [FilePath] {
                        let whole = root.appending(path.components)
                        await expect(.improperLink, of: whole) { try await directory.open(path) }
                        await expect(.improperLink, of: whole) { try await directory.status(of: path) }
                        await expect(.improperLink, of: whole) { try await directory.readFile(path) }
                        await expect(.improperLink, of: whole) { try await directory.entries(of: path) }
                    }
                    for path in ["x", "none", "x/y"] as [FilePath] {
                        await expect(.noSuchFileOrDirectory, of: root.appending(path.components)) {
                            try await directory.open(path)
                        }
                    }
                    let file = root.appending("file")
                    await expect(.notDirectory, of: file) { try await directory.openDirectory("file") }
                    await expect(.notDirectory, of: file) { try await directory.entries(of: "file") }
                    await expect(.isDirectory, of: root.appending("a")) { try await directory.readFile("a") }
                    await expect(.fileTooLarge, of: file) { try await directory.readFile("file", limit: 0) }
                    await expectError(.noSuchFileOrDirectory) { try await directory.open("") }
                }
                await expect(.notDirectory, of: root.appending("file")) {
                    try await Directory.open(root.appending("file"))
                }
            }
        }

        @Test(arguments: FastPath.allCases) func statusAndEntries(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                #expect(try await directory.status(of: "out", followingLinks: false).kind == .symbolicLink)
                #expect(try await directory.status(of: "in", followingLinks: false).kind == .symbolicLink)
                #expect(try await directory.status(of: ".").kind == .directory)
                #expect(try await Set(directory.entries().map(\.name.string)) == Set(root.names))
                #expect(try await directory.entries(of: "a").map(\.name.string) == ["file"])
                #expect(try await directory.entries(upTo: 2).count == 2)
                await expectError(.invalidArgument) { try await directory.entries(upTo: -1) }
                let inner = try await directory.openDirectory("a")
                await expect(.improperLink, of: root.appending("a")) { try await inner.open("../file") }
                let file = try await inner.open("file")
                try await inner.close()
                #expect(try await file.read(upTo: 9, at: 0) == [2])
                try await file.close()
            }
        }

        @Test(arguments: FastPath.allCases) func changes(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                let file = try await directory.open("a/new", .writeOnly, options: .create)
                try await file.append([3, 4])
                try await file.close()
                try await directory.makeDirectory("a/b")
                await expect(.fileExists, of: root.appending("a").appending("b")) {
                    try await directory.makeDirectory("a/b")
                }
                try await directory.rename("a/new", to: "a/b/moved")
                #expect(try await directory.readFile("a/b/moved") == [3, 4])
                await expectError(.directoryNotEmpty) { try await directory.removeDirectory("a/b") }
                // The link, not the secret.
                try await directory.removeFile("out")
                try await directory.removeFile("a/b/moved")
                try await directory.removeDirectory("a/b")
                #expect(root.appending("a").names == ["file"] && !root.names.contains("out"))
                #expect(root.removingLastComponent().appending("secret").content == [9])
                for path in ["way/secret", "../secret"] as [FilePath] {
                    await expectError(.improperLink) { try await directory.removeFile(path) }
                    await expectError(.improperLink) { try await directory.rename("file", to: path) }
                    await expectError(.improperLink) { try await directory.makeDirectory(path) }
                    await expectError(.improperLink) {
                        try await directory.open(path, .readWrite, options: [.create, .truncate])
                    }
                }
                for path in ["..", "a/..", "."] as [FilePath] {
                    await expectError(.invalidArgument) { try await directory.removeDirectory(path) }
                }
            }
        }

        @Test(arguments: FastPath.allCases) func wholeFilesAndLinks(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                let folder = root.removingLastComponent()
                try await directory.writeFile("a/new", [3, 4], permissions: .ownerReadWrite)
                #expect(root.appending("a").appending("new").content == [3, 4])
                #expect(try await directory.status(of: "a/new").permissions == .ownerReadWrite)
                try await directory.writeFile("in", [5], durably: false)
                #expect(root.appending("file").content == [5])
                #expect(try await directory.readLink("in") == "a/../file")
                await expect(.isDirectory, of: root.appending("a")) { try await directory.writeFile("a", []) }
                await expect(.noSuchFileOrDirectory, of: root.appending("x").appending("y")) {
                    try await directory.writeFile("x/y", [])
                }
                try await directory.symlink(to: "file", at: "link")
                #expect(try await directory.readFile("link") == [5])
                #expect(try await directory.readLink("link") == "file")
                await expect(.fileExists, of: root.appending("link")) {
                    try await directory.symlink(to: "file", at: "link")
                }
                await expect(.invalidArgument, of: root.appending("file")) { try await directory.readLink("file") }
                try await directory.link("file", at: "a/second")
                #expect(try await directory.status(of: "a/second").linkCount == 2)
                await expect(.fileExists, of: root.appending("file")) {
                    try await directory.link("file", at: "a/second")
                }
                for path in ["out", "way/secret", "../secret", "absolute"] as [FilePath] {
                    await expect(.improperLink, of: root.appending(path.components)) {
                        try await directory.writeFile(path, [])
                    }
                }
                for path in ["way/x", "../x"] as [FilePath] {
                    await expectError(.improperLink) { try await directory.symlink(to: "file", at: path) }
                    await expectError(.improperLink) { try await directory.link("file", at: path) }
                    await expectError(.improperLink) { try await directory.link(path, at: "b") }
                    await expectError(.improperLink) { try await directory.readLink(path) }
                }
                #expect(folder.names == ["root", "secret"] && folder.appending("secret").content == [9])
            }
        }

        @Test(arguments: FastPath.allCases) func permissionsAndTimes(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                let secret = root.removingLastComponent().appending("secret")
                let before = try await FileSystem.status(of: secret)
                try await directory.setPermissions(.ownerRead, of: "in")
                #expect(try await directory.status(of: "file").permissions == .ownerRead)
                let (accessed, modified) = (FileTime(seconds: 1_000, nanoseconds: 1), FileTime(seconds: 2_000))
                try await directory.setTimes(accessed: accessed, modified: modified, of: "in")
                let status = try await directory.status(of: "file")
                #expect(status.accessed == accessed && status.modified == modified)
                try await directory.setTimes(accessed: accessed, modified: modified, of: "out", followingLinks: false)
                #expect(try await directory.status(of: "out", followingLinks: false).modified == modified)
                await expect(.noSuchFileOrDirectory, of: root.appending("x")) {
                    try await directory.setPermissions(.ownerRead, of: "x")
                }
                await expect(.noSuchFileOrDirectory, of: root.appending("x")) {
                    try await directory.setTimes(accessed: accessed, modified: modified, of: "x")
                }
                for path in ["out", "way/secret", "../secret", "absolute", ".."] as [FilePath] {
                    let whole = root.appending(path.components)
                    await expect(.improperLink, of: whole) {
                        try await directory.setPermissions(.ownerReadWrite, of: path)
                    }
                    await expect(.improperLink, of: whole) {
                        try await directory.setTimes(accessed: accessed, modified: modified, of: path)
                    }
                }
                #expect(try await FileSystem.status(of: secret) == before)
            }
        }

        @Test("The pool is not asked for what is in memory")
        func withoutThreads() throws {
            try Self.withDirectory(.on) { loop, root, directory in
                guard LocalProbe.isLocal(root) else { return }
                try await expectNoTrips {
                    let file = try await directory.open("a/file")
                    #expect(try await file.status().size == 1)
                    #expect(try await file.read(upTo: 1, at: 0) == [2])
                    try await file.close()
                    await expectError(.noSuchFileOrDirectory) { try await directory.open("a/nothing") }
                    // Dropped, it closes itself as well.
                    _ = try await directory.open("a/file")
                    #expect(openFiles(in: root.appending("a")).isEmpty)
                }
            }
        }

        @Test("A file without a name is closed by the pool: its blocks are freed then")
        func removedFile() throws {
            try Self.withDirectory(.on) { loop, root, directory in
                let file = try await directory.open("a/file")
                try FileManager.default.removeItem(atPath: root.appending("a").appending("file").string)
                let pool = try await FullPool(on: loop)
                let closing = loop.spawn { try await file.close() }
                try await loop.waitUntilIdle()
                #expect(!openFiles(in: root).filter { $0.contains("deleted") }.isEmpty)
                pool.release()
                try await closing.value
                #expect(openFiles(in: root).filter { $0.contains("deleted") }.isEmpty)
            }
        }

        @Test("C1: cancelled before, and while the pool is full; nothing stays open", arguments: FastPath.allCases)
        func cancellation(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { loop, root, directory in
                let before = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    _ = try await directory.open("file")
                }
                before.cancel()
                #expect(await failure(of: before) is CancellationError)
                let status = try await directory.status(of: "file")
                // What makes or changes a file is the pool's.
                let calls: [@Sendable () async throws -> Void] = [
                    { _ = try await directory.open("new", .writeOnly, options: .create) },
                    { try await directory.writeFile("new", [3]) },
                    { try await directory.writeFile("file", [3]) },
                    { try await directory.link("file", at: "new") },
                    { try await directory.symlink(to: "file", at: "new") },
                    { _ = try await directory.readLink("in") },
                    { try await directory.setPermissions([], of: "file") },
                    { try await directory.setTimes(accessed: .now, modified: .now, of: "file") },
                ]
                for call in calls {
                    let pool = try await FullPool(on: loop)
                    let queued = loop.spawn { try await call() }
                    try await loop.waitUntilIdle()
                    queued.cancel()
                    #expect(await failure(of: queued) is CancellationError)
                    pool.release()
                    try await restOfPool(on: loop)
                    #expect(!root.names.contains("new"))
                }
                #expect(try await directory.status(of: "file") == status)
            }
        }

        @Test("From other tasks and after close", arguments: FastPath.allCases)
        func elsewhere(_ fastPath: FastPath) throws {
            try Self.withDirectory(fastPath) { _, root, directory in
                try await Task.detached {
                    let file = try await directory.open("file")
                    #expect(try await file.status().kind == .regular)
                    try await file.close()
                }.value
                try await directory.close()
                await expect(.badFileDescriptor, of: root) { try await directory.open("file") }
                await expect(.badFileDescriptor, of: root) { try await directory.entries() }
                await expect(.badFileDescriptor, of: root) { try await directory.status(of: "file") }
                await expect(.badFileDescriptor, of: root) { try await directory.writeFile("file", []) }
                await expect(.badFileDescriptor, of: root) { try await directory.setPermissions([], of: "file") }
            }
        }

        @Test("A task that opens without end lets others run")
        func budget() throws {
            try Self.withDirectory(.on) { loop, _, directory in
                let opening = loop.spawn {
                    while !Task.isCancelled {
                        let file = try await directory.open("file")
                        _ = try await file.status()
                        try await file.close()
                    }
                }
                for _ in 0..<3 { try await loop.sleep(for: .milliseconds(1)) }
                opening.cancel()
                _ = await opening.result
            }
        }
    }
}

/// Does something again until it takes no trip to the pool: what is not in memory takes one, as may other tests.
func expectNoTrips(_ body: () async throws -> Void) async throws {
    var trips = 1
    for _ in 0..<100 where trips > 0 {
        let before = ThreadPool.statistics
        try await body()
        let after = ThreadPool.statistics
        trips = after.finished + after.running + after.queued - before.finished
    }
    #expect(trips == 0)
}

/// Whether the tests' files are on a volume that the library takes for a local one.
enum LocalProbe {
    static func isLocal(_ path: FilePath) -> Bool {
        guard let table = FilePath("/proc/mounts").content else { return false }
        let mounts = String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
        let mount = mounts.filter { $0.count > 2 && path.starts(with: FilePath(String($0[1]))) }.max {
            $0[1].count < $1[1].count
        }
        return ["ext4", "xfs", "btrfs", "tmpfs"].contains(mount.map { String($0[2]) } ?? "")
    }
}
