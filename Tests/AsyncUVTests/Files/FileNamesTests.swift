import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Names {
        @Test func statusOfNames() throws {
            try inFolder { _, folder in
                let (file, link, lost) = (folder.appending("file"), folder.appending("link"), folder.appending("lost"))
                try file.put(pattern(5_000))
                try await FileSystem.symlink(to: "file", at: link)
                try await FileSystem.symlink(to: "missing", at: lost)
                let status = try await FileSystem.status(of: link)
                #expect(status.kind == .regular && status.size == 5_000 && status.allocatedSize >= 5_000)
                let own = try await FileSystem.status(of: link, followingLinks: false)
                #expect(own.kind == .symbolicLink && own.inode != status.inode)
                #expect(try await FileSystem.status(of: folder).kind == .directory)
                for path in [link, folder] { #expect(try await FileSystem.exists(path)) }
                for path in [lost, folder.appending("none"), file.appending("below"), ""] {
                    #expect(try await !FileSystem.exists(path))
                }
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.status(of: lost) }
                #expect(try await FileSystem.status(of: lost, followingLinks: false).kind == .symbolicLink)
                await expect(.notDirectory, of: file.appending("below")) {
                    try await FileSystem.status(of: file.appending("below"))
                }
                try await FileSystem.checkAccess(to: file, for: [.read, .write])
                await expect(.permissionDenied, of: file) { try await FileSystem.checkAccess(to: file, for: .execute) }
                await expect(.noSuchFileOrDirectory, of: lost) {
                    try await FileSystem.checkAccess(to: lost, for: .exists)
                }
                let volume = try await FileSystem.volume(of: folder)
                #expect(volume.blockSize > 0 && volume.blocks >= volume.freeBlocks && volume.availableBytes > 0)
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.volume(of: lost) }
            }
        }

        @Test func changesOfStatus() throws {
            try inFolder { _, folder in
                let (file, link, lost) = (folder.appending("file"), folder.appending("link"), folder.appending("lost"))
                try file.put([1])
                try await FileSystem.symlink(to: "file", at: link)
                try await FileSystem.setPermissions([.ownerRead], of: link)
                #expect(try await FileSystem.status(of: file).permissions == .ownerRead)
                try await FileSystem.setTimes(
                    accessed: FileTime(seconds: 10), modified: FileTime(seconds: 20), of: link)
                try await FileSystem.setTimes(
                    accessed: FileTime(seconds: 30), modified: FileTime(seconds: 40), of: link, followingLinks: false)
                #expect(try await FileSystem.status(of: file).modified == FileTime(seconds: 20))
                #expect(try await FileSystem.status(of: link, followingLinks: false).modified == FileTime(seconds: 40))
                try await FileSystem.setOwner(FileOwner(user: getuid()), of: link)
                try await FileSystem.setOwner(FileOwner(group: getgid()), of: link, followingLinks: false)
                await expect(.noSuchFileOrDirectory, of: lost) {
                    try await FileSystem.setPermissions(.ownerRead, of: lost)
                }
                await expect(.noSuchFileOrDirectory, of: lost) {
                    try await FileSystem.setTimes(accessed: .now, modified: .now, of: lost)
                }
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.setOwner(FileOwner(), of: lost) }
            }
        }

        @Test func names() throws {
            try inFolder { _, folder in
                let (file, other, lost) = (
                    folder.appending("file"), folder.appending("other"), folder.appending("lost")
                )
                try file.put([1])
                try other.put([2])
                try await FileSystem.rename(file, to: other)
                #expect(other.content == [1] && folder.names == ["other"])
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.rename(lost, to: other) }
                let directory = folder.appending("directory")
                try await FileSystem.makeDirectory(directory)
                await expect(.isDirectory, of: directory) { try await FileSystem.rename(other, to: directory) }
                await expect(.improperLink, of: other) { try await FileSystem.rename(other, to: "/dev/shm/swift-uv-x") }
                try await FileSystem.link(other, at: file)
                #expect(try await FileSystem.status(of: file).linkCount == 2)
                await expect(.fileExists, of: file) { try await FileSystem.link(other, at: file) }
                await expect(.fileExists, of: file) { try await FileSystem.symlink(to: "x", at: file) }
                let link = folder.appending("link")
                try await FileSystem.symlink(to: "./other", at: link)
                #expect(try await FileSystem.readLink(link) == "./other")
                await expect(.invalidArgument, of: file) { try await FileSystem.readLink(file) }
                let real = try await FileSystem.realPath(of: folder)
                #expect(try await FileSystem.realPath(of: link) == real.appending("other"))
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.realPath(of: lost) }
            }
        }

        @Test func directories() throws {
            try inFolder { _, folder in
                let (deep, file) = (folder.appending("a/b/c"), folder.appending("file"))
                try file.put([])
                await expect(.noSuchFileOrDirectory, of: deep) { try await FileSystem.makeDirectory(deep) }
                for _ in 0..<2 { try await FileSystem.makeDirectory(deep, withIntermediates: true) }
                #expect(try await FileSystem.status(of: deep).kind == .directory)
                await expect(.fileExists, of: deep) { try await FileSystem.makeDirectory(deep) }
                await expect(.fileExists, of: file) {
                    try await FileSystem.makeDirectory(file, withIntermediates: true)
                }
                let below = file.appending("x/y")
                await expect(.notDirectory, of: file) {
                    try await FileSystem.makeDirectory(below, withIntermediates: true)
                }
                let own = folder.appending("own")
                try await FileSystem.makeDirectory(own, permissions: .ownerReadWriteExecute)
                #expect(try await FileSystem.status(of: own).permissions == .ownerReadWriteExecute)
            }
        }

        @Test func temporaries() throws {
            try inFolder { _, folder in
                let directories = [
                    try await FileSystem.makeTemporaryDirectory(in: folder),
                    try await FileSystem.makeTemporaryDirectory(in: folder, prefix: "my-"),
                ]
                #expect(directories[1].lastComponent?.string.hasPrefix("my-") == true)
                for path in directories {
                    let status = try await FileSystem.status(of: path)
                    #expect(status.kind == .directory && status.permissions == .ownerReadWriteExecute)
                }
                let file = try await FileSystem.makeTemporaryFile(in: folder, prefix: "wörk")
                try await file.write([1, 2], at: 0)
                #expect(file.path.content == [1, 2])
                #expect(try await file.status().permissions == .ownerReadWrite)
                try await file.close()
                let elsewhere = try await FileSystem.makeTemporaryDirectory()
                #expect(elsewhere.starts(with: .systemTemporaryDirectory))
                try FileManager.default.removeItem(atPath: elsewhere.string)
                for prefix in ["a/b", "/", "a\0", ""] {
                    await #expect(throws: UVError.self, "\(prefix.debugDescription)") {
                        try await FileSystem.makeTemporaryFile(in: folder, prefix: prefix)
                    }
                }
                let lost = folder.appending("lost")
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.makeTemporaryFile(in: lost) }
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.makeTemporaryDirectory(in: lost) }
                #expect(folder.names.count == 3)
            }
        }

        @Test("What came too late is closed and removed")
        func lateTemporaries() throws {
            try inFolder { loop, folder in
                if let held = HeldFile(folder, .openInside) {
                    let making = loop.spawn { try await FileSystem.makeTemporaryFile(in: folder) }
                    try await wait(on: loop) { ThreadPool.statistics.running == 1 }
                    making.cancel()
                    #expect(await failure(of: making) is CancellationError)
                    held.release()
                    try await wait(on: loop) { folder.names == [] && openFiles(in: folder) == [] }
                }
                let pool = try await FullPool(on: loop)
                let making = loop.spawn { try await FileSystem.makeTemporaryDirectory(in: folder) }
                try await loop.waitUntilIdle()
                pool.release()
                making.cancel()
                // It may have been faster than the cancellation.
                if await failure(of: making) != nil { try await wait(on: loop) { folder.names == [] } }
            }
        }
    }

    @Suite struct Directories {
        private func collect(_ list: DirectoryList) async throws -> [DirectoryEntry] {
            var entries: [DirectoryEntry] = []
            for try await entry in list { entries.append(entry) }
            return entries
        }

        @Test func list() throws {
            try inFolder { _, folder in
                #expect(try await collect(FileSystem.entries(of: folder)).isEmpty)
                #expect(try await FileSystem.entries(of: folder).sorted().isEmpty)
                // More than a batch.
                for number in 0..<1_000 { try folder.appending("file \(number)").put([]) }
                try await FileSystem.makeDirectory(folder.appending("directory"))
                try await FileSystem.symlink(to: "/", at: folder.appending("link"))
                let entries = try await collect(FileSystem.entries(of: folder))
                #expect(entries.count == 1_002 && Set(entries.map(\.name.string)) == Set(folder.names))
                #expect(entries.filter { $0.kind == .directory }.map(\.name) == ["directory"])
                #expect(entries.filter { $0.kind == .symbolicLink }.map(\.name) == ["link"])
                let sorted = try await FileSystem.entries(of: folder).sorted()
                #expect(sorted.map(\.name.string) == folder.names)
                // Broken off: closed when it is dropped.
                for try await _ in FileSystem.entries(of: folder) { break }
                #expect(openFiles(in: folder).isEmpty)
            }
        }

        @Test func errors() throws {
            try inFolder { _, folder in
                let (file, lost) = (folder.appending("file"), folder.appending("lost"))
                try file.put([])
                await expect(.noSuchFileOrDirectory, of: lost) { try await collect(FileSystem.entries(of: lost)) }
                await expect(.noSuchFileOrDirectory, of: lost) { try await FileSystem.entries(of: lost).sorted() }
                await expect(.notDirectory, of: file) { try await collect(FileSystem.entries(of: file)) }
                await expect(.notDirectory, of: file) { try await FileSystem.entries(of: file).sorted() }
                await expect(.noSuchFileOrDirectory, of: lost) { for try await _ in FileSystem.walk(lost) {} }
            }
        }

        @Test("Names that are not UTF-8 come through as they are", arguments: FastPath.allCases)
        func oddNames(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let names: [[UInt8]] = [
                    [0xff, 0xfe], [0xc3], [0x61, 0x80, 0x62], Array("new\nline".utf8), [0xf0, 0x9f],
                ]
                let components = names.compactMap { name in
                    unsafe FilePath(platformString: name.map { CChar(bitPattern: $0) } + [0]).lastComponent
                }
                #expect(components.count == names.count)
                for component in components {
                    let path = folder.appending(component)
                    try await FileSystem.writeFile(path, [1, 2])
                    #expect(try await FileSystem.status(of: path).size == 2)
                    #expect(try await FileSystem.readFile(path) == [1, 2])
                    #expect(try await FileSystem.realPath(of: path).lastComponent == component)
                    let link = folder.appending("link")
                    try await FileSystem.symlink(to: path, at: link)
                    #expect(try await FileSystem.readLink(link) == path)
                    try await FileSystem.rename(link, to: folder.appending("old link"))
                }
                let listed = Set(try await collect(FileSystem.entries(of: folder)).map(\.name))
                #expect(listed == Set(components + ["old link"]))
                #expect(try await FileSystem.entries(of: folder).sorted().count == components.count + 1)
                var walked: Set<FilePath> = []
                for try await found in FileSystem.walk(folder) { walked.insert(found.path) }
                #expect(walked == Set(listed.map { folder.appending($0) }))
            }
        }

        @Test("A walk goes down first, by name, and not through links")
        func walk() throws {
            try inFolder { _, folder in
                for path in ["b/inner/deep", "a", "c"] {
                    try await FileSystem.makeDirectory(folder.appending(path), withIntermediates: true)
                }
                for path in ["b/x", "b/inner/y", "d"] { try folder.appending(path).put([]) }
                try await FileSystem.symlink(to: "..", at: folder.appending("b/up"))
                try await FileSystem.symlink(to: ".", at: folder.appending("c/self"))
                var seen: [String] = []
                for try await found in FileSystem.walk(folder) {
                    let below = found.path.string.dropFirst(folder.string.utf8.count + 1)
                    seen.append("\(found.depth) \(below) \(found.kind)")
                }
                #expect(
                    seen == [
                        "0 a directory", "0 b directory", "1 b/inner directory", "2 b/inner/deep directory",
                        "2 b/inner/y regular", "1 b/up symbolicLink", "1 b/x regular", "0 c directory",
                        "1 c/self symbolicLink", "0 d regular",
                    ])
            }
        }

        @Test("C1: a reader that is cancelled between two entries gets no more")
        func cancelledBetween() throws {
            try inFolder { loop, folder in
                for number in 0..<10 { try folder.appending("file \(number)").put([]) }
                let seen = Shared(0)
                @Sendable func count() {
                    seen.value += 1
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
                let list = loop.spawn { for try await _ in FileSystem.entries(of: folder) { count() } }
                #expect(await failure(of: list) is CancellationError)
                let walk = loop.spawn { for try await _ in FileSystem.walk(folder) { count() } }
                #expect(await failure(of: walk) is CancellationError)
                #expect(seen.value == 2)
            }
        }

        @Test("A walk lets others through, however many names a directory has")
        func fairness() throws {
            try inFolder { loop, folder in
                for number in 0..<6_000 { try folder.appending("file \(number)").put([]) }
                let turns = Shared(0)
                let other = loop.spawn {
                    while !Task.isCancelled {
                        turns.value += 1
                        await Task.yield()
                    }
                }
                var (first, last) = (0, 0)
                for try await _ in FileSystem.walk(folder) {
                    last = turns.value
                    if first == 0 { first = last }
                }
                // It gives way five times; the other task may need several of these for a turn.
                #expect(last - first >= 2)
                other.cancel()
                try await other.value
            }
        }

        @Test("A walk goes as deep as a tree is, also where paths are longer than the system's calls take")
        func deepWalk() throws {
            try inFolder { _, folder in
                let name = String(repeating: "d", count: 120), depth = 40
                var level = try FileDescriptor.open(folder, .readOnly)
                for number in 0..<depth {
                    #expect(unsafe mkdirat(level.rawValue, name, 0o755) == 0)
                    #expect(unsafe mkdirat(level.rawValue, "z\(number)", 0o755) == 0)
                    let below = unsafe openat(level.rawValue, name, O_RDONLY)
                    try level.close()
                    level = FileDescriptor(rawValue: below)
                }
                try level.close()
                // Not the paths: a failure would print them. Nor their components: debug builds take minutes for these.
                var seen: [String] = [], longest = 0
                for try await entry in FileSystem.walk(folder) {
                    seen.append("\(entry.path.string.split(separator: "/").last?.prefix(6) ?? "") \(entry.depth)")
                    longest = max(longest, entry.path.length)
                }
                let expected = (0..<depth).map { "dddddd \($0)" } + (0..<depth).reversed().map { "z\($0) \($0)" }
                #expect(seen == expected && longest > 4_096)
            }
        }

        @Test("A walk follows no link that takes a directory's place meanwhile; one as its start it follows")
        func walkSwapped() throws {
            try inFolder { _, folder in
                let (tree, secret) = (folder.appending("tree"), folder.appending("secret"))
                try await FileSystem.makeDirectory(tree.appending("a").appending("b"), withIntermediates: true)
                try await FileSystem.makeDirectory(secret)
                try secret.appending("key").put([])
                let link = folder.appending("link")
                try await FileSystem.symlink(to: "tree", at: link)
                var seen: [FilePath] = []
                let errors = Shared<[FilePath]>([])
                let walk = FileSystem.walk(link) { path, error in
                    #expect(code(of: error) == .notDirectory || code(of: error) == .tooManySymbolicLinkLevels)
                    errors.change { $0.append(path) }
                }
                for try await entry in walk {
                    seen.append(entry.path)
                    guard entry.path == link.appending("a") else { continue }
                    try await FileSystem.rename(tree.appending("a"), to: folder.appending("moved"))
                    try await FileSystem.symlink(to: secret, at: tree.appending("a"))
                }
                #expect(seen == [link.appending("a")] && errors.value == seen)
            }
        }

        @Test("What vanishes during a walk goes to onError")
        func walkErrors() throws {
            try inFolder { _, folder in
                for name in ["a", "b", "c"] {
                    try await FileSystem.makeDirectory(folder.appending(name))
                    try folder.appending(name).appending("x").put([])
                }
                let errors = Shared<[FilePath]>([])
                var seen: [String] = []
                let walk = FileSystem.walk(folder) { path, error in
                    #expect(code(of: error) == .noSuchFileOrDirectory)
                    errors.change { $0.append(path) }
                }
                for try await found in walk {
                    seen.append(found.path.lastComponent?.string ?? "")
                    if found.path == folder.appending("b") {
                        try FileManager.default.removeItem(atPath: found.path.string)
                    }
                }
                #expect(seen == ["a", "x", "b", "c", "x"] && errors.value == [folder.appending("b")])
                let strict = FileSystem.walk(folder.appending("none"))
                await expect(.noSuchFileOrDirectory, of: folder.appending("none")) { for try await _ in strict {} }
            }
        }
    }
}
