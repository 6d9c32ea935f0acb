import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Trees {
        /// Makes a directory with many files of ten bytes, a file in a directory, and a link.
        private static func makeTree(_ root: FilePath, files count: Int) throws {
            try FileManager.default.createDirectory(
                atPath: root.appending("below").string, withIntermediateDirectories: true)
            for number in 0..<count { try root.appending("file \(number)").put(pattern(10)) }
            try root.appending("below/leaf").put(pattern(1_000))
            try FileManager.default.createSymbolicLink(
                atPath: root.appending("link").string, withDestinationPath: "file 0")
        }

        private static func expectTree(_ root: FilePath, files count: Int) {
            let names = ((0..<count).map { "file \($0)" } + ["below", "link"]).sorted()
            #expect(root.names == names)
            #expect((0..<count).allSatisfy { root.appending("file \($0)").content == pattern(10) })
            #expect(root.appending("below").names == ["leaf"] && root.appending("below/leaf").content == pattern(1_000))
            #expect(
                (try? FileManager.default.destinationOfSymbolicLink(atPath: root.appending("link").string)) == "file 0")
        }

        // MARK: Copy

        @Test(arguments: FastPath.allCases) func copyOfAFile(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let (file, copy) = (folder.appending("file"), folder.appending("copy"))
                try file.put(pattern(100_000))
                try await FileSystem.setPermissions([.ownerReadWrite, .groupRead], of: file)
                let copied = try await FileSystem.copy(file, to: copy)
                #expect(copied.entries == 1 && copied.bytes == 100_000 && copied.path == file)
                #expect(try await FileSystem.readFile(copy) == pattern(100_000))
                #expect(try await FileSystem.status(of: copy).permissions == [.ownerReadWrite, .groupRead])
                try file.put(pattern(5))
                await expect(.fileExists, of: copy) { try await FileSystem.copy(file, to: copy, isReplacing: false) }
                #expect(try await FileSystem.readFile(copy) == pattern(100_000))
                try await FileSystem.copy(file, to: copy)
                #expect(try await FileSystem.readFile(copy) == pattern(5))
                let other = folder.appending("other")
                try await FileSystem.copy(file, to: other, isReplacing: false)
                #expect(other.content == pattern(5) && folder.names == ["copy", "file", "other"])
            }
        }

        @Test func copyOfATree() throws {
            try inFolder { _, folder in
                let (tree, copy) = (folder.appending("tree"), folder.appending("copy"))
                try Self.makeTree(tree, files: 20)
                let copied = try await FileSystem.copy(tree, to: copy)
                // With the tree itself.
                #expect(copied.entries == 24 && copied.bytes == 1_200 && copied.path == tree)
                Self.expectTree(copy, files: 20)
                for isReplacing in [true, false] {
                    await expect(.fileExists, of: copy) {
                        try await FileSystem.copy(tree, to: copy, isReplacing: isReplacing)
                    }
                }
                Self.expectTree(copy, files: 20)
                Self.expectTree(tree, files: 20)
            }
        }

        @Test("A link as the source is followed, to a file as to a directory; links in a tree stay links")
        func copyOfALink() throws {
            try inFolder { _, folder in
                try Self.makeTree(folder.appending("tree"), files: 1)
                for (link, target) in [
                    ("to tree", "tree"), ("to link", "to tree"), ("to file", "tree/file 0"), ("lost", "x"),
                ] {
                    try await FileSystem.symlink(to: FilePath(target), at: folder.appending(link))
                }
                for name in ["to tree", "to link"] {
                    let copy = folder.appending("copy of \(name)")
                    try await FileSystem.copy(folder.appending(name), to: copy)
                    #expect(try await FileSystem.status(of: copy, followingLinks: false).kind == .directory)
                    Self.expectTree(copy, files: 1)
                }
                let copy = folder.appending("copy of file")
                try await FileSystem.copy(folder.appending("to file"), to: copy)
                #expect(try await FileSystem.status(of: copy, followingLinks: false).kind == .regular)
                #expect(copy.content == pattern(10))
                let lost = folder.appending("lost")
                await expect(.noSuchFileOrDirectory, of: lost) {
                    try await FileSystem.copy(lost, to: folder.appending("none"))
                }
            }
        }

        @Test("A timeout between two batches: the rest is not copied, the rest is not removed")
        func timeouts() throws {
            try inFolder { loop, folder in
                let (tree, copy) = (folder.appending("tree"), folder.appending("copy"))
                try Self.makeTree(tree, files: 3_000)
                let time = Duration.milliseconds(20)
                // The loop's own clock stands still meanwhile. At least one more batch does not come.
                let start = ContinuousClock.now
                let untilLate: @Sendable (TreeRequest.Progress) -> Void = { _ in
                    while ContinuousClock.now - start < time * 2 { sched_yield() }
                }
                await expect(.timedOut, of: tree) {
                    try await FileSystem.copy(tree, to: copy, timeout: time, onProgress: untilLate)
                }
                try await restOfPool(on: loop)
                #expect(copy.names.count < 3_000)
                Self.expectTree(tree, files: 3_000)
                let late = ContinuousClock.now
                await expect(.timedOut, of: tree) {
                    try await FileSystem.remove(tree, timeout: time) { _ in
                        while ContinuousClock.now - late < time * 2 { sched_yield() }
                    }
                }
                try await restOfPool(on: loop)
                #expect(!tree.names.isEmpty)
                try await FileSystem.remove(tree, timeout: .seconds(1_000))
                #expect(!folder.names.contains("tree"))
            }
        }

        @Test func errorsNameThePath() throws {
            try inFolder { _, folder in
                let (file, tree, none) = (folder.appending("file"), folder.appending("tree"), folder.appending("none"))
                try file.put([1])
                try Self.makeTree(tree, files: 1)
                let free = folder.appending("free")
                await expect(.noSuchFileOrDirectory, of: none) { try await FileSystem.copy(none, to: free) }
                await expect(.noSuchFileOrDirectory, of: none) { try await FileSystem.move(none, to: free) }
                await expect(.noSuchFileOrDirectory, of: none) { try await FileSystem.remove(none) }
                await expect(.noSuchFileOrDirectory, of: none) {
                    try await FileSystem.copy(file, to: none.appending("x"))
                }
                await expect(.noSuchFileOrDirectory, of: none) {
                    try await FileSystem.copy(tree, to: none.appending("x"))
                }
                await expect(.isDirectory, of: tree) { try await FileSystem.copy(file, to: tree) }
                await expect(.fileExists, of: tree) { try await FileSystem.copy(file, to: tree, isReplacing: false) }
                await expect(.fileExists, of: file) { try await FileSystem.copy(tree, to: file) }
                await expect(.invalidArgument, of: tree) {
                    try await FileSystem.copy(tree, to: tree.appending("below/x"))
                }
                await expect(.notSupported, of: "/dev/null") { try await FileSystem.copy("/dev/null", to: free) }
                await expect(.isDirectory, of: tree) { try await FileSystem.move(file, to: tree) }
                for path: FilePath in ["/", ".", "..", "/tmp/.."] {
                    await expect(.invalidArgument, of: path) { try await FileSystem.remove(path) }
                }
                // What a tree cannot be copied for is named, not the tree.
                let fifo = folder.appending("sockets")
                try await FileSystem.makeDirectory(fifo)
                #expect(unsafe mknod(fifo.appending("s").string, S_IFSOCK | 0o600, 0) == 0)
                await expect(.notSupported, of: fifo.appending("s")) { try await FileSystem.copy(fifo, to: free) }
                #expect(file.content == [1])
                Self.expectTree(tree, files: 1)
            }
        }

        // MARK: Progress and cancellation

        @Test("Progress of a copy and of a removal: in order, less than all, in batches")
        func progress() throws {
            try inFolder { _, folder in
                let (tree, copy) = (folder.appending("tree"), folder.appending("copy"))
                try Self.makeTree(tree, files: 600)
                let seen = Shared<[TreeRequest.Progress]>([])
                let copied = try await FileSystem.copy(tree, to: copy) { progress in seen.change { $0.append(progress) }
                }
                #expect(copied.entries == 604)
                func check() {
                    let entries = seen.value.map(\.entries)
                    #expect(entries.count >= 2 && entries == entries.sorted() && entries.last! < 604)
                    #expect(seen.value.allSatisfy { $0.path.starts(with: seen.value[0].path.removingLastComponent()) })
                }
                check()
                #expect(seen.value.map(\.bytes) == seen.value.map(\.bytes).sorted())
                seen.value = []
                try await FileSystem.remove(copy) { progress in seen.change { $0.append(progress) } }
                check()
                #expect(folder.names == ["tree"])
            }
        }

        @Test("C1: cancelled in the middle of a copy: what was copied stays, each file complete; the source is whole")
        func cancelledCopy() throws {
            try inFolder { loop, folder in
                let (tree, copy) = (folder.appending("tree"), folder.appending("copy"))
                try Self.makeTree(tree, files: 1_000)
                let copying = Shared<Task<Void, any Error>?>(nil)
                let task = loop.spawn {
                    while copying.value == nil { await Task.yield() }
                    try await FileSystem.copy(tree, to: copy) { _ in copying.value?.cancel() }
                }
                copying.value = task
                #expect(await failure(of: task) is CancellationError)
                try await restOfPool(on: loop)
                let names = copy.names
                #expect(!names.isEmpty && names.count < 1_002)
                for name in names where name.hasPrefix("file") {
                    #expect(copy.appending(name).content == pattern(10), "\(name)")
                }
                Self.expectTree(tree, files: 1_000)
            }
        }

        @Test("C1: cancelled in the middle of a removal: the rest is there")
        func cancelledRemoval() throws {
            try inFolder { loop, folder in
                let tree = folder.appending("tree")
                try Self.makeTree(tree, files: 1_000)
                let removing = Shared<Task<Void, any Error>?>(nil)
                let task = loop.spawn {
                    while removing.value == nil { await Task.yield() }
                    try await FileSystem.remove(tree) { _ in removing.value?.cancel() }
                }
                removing.value = task
                #expect(await failure(of: task) is CancellationError)
                try await restOfPool(on: loop)
                let left = tree.names.count
                #expect(left > 0 && left < 1_002)
                try await FileSystem.remove(tree)
                #expect(folder.names == [])
            }
        }

        // MARK: Move

        @Test func moveOnOneVolume() throws {
            try inFolder { _, folder in
                let (tree, new) = (folder.appending("tree"), folder.appending("new"))
                try Self.makeTree(tree, files: 3)
                let inode = try await FileSystem.status(of: tree).inode
                try await FileSystem.move(tree, to: new) { _ in Issue.record("copied") }
                #expect(try await FileSystem.status(of: new).inode == inode && folder.names == ["new"])
                // Over a file, and over an empty directory.
                let (file, other) = (folder.appending("file"), folder.appending("other"))
                try file.put([1])
                try other.put([2])
                try await FileSystem.move(file, to: other)
                #expect(other.content == [1])
                try await FileSystem.makeDirectory(tree)
                try await FileSystem.move(new, to: tree)
                Self.expectTree(tree, files: 3)
                #expect(folder.names == ["other", "tree"])
            }
        }

        /// Runs a body with a folder on each of two volumes.
        private static func acrossVolumes(
            _ body: @escaping @Sendable (EventLoop, _ here: FilePath, _ there: FilePath) async throws -> Void
        ) throws {
            try inFolder { loop, here in
                let there = FilePath("/dev/shm/swift-uv-tests-\(UUID())")
                try FileManager.default.createDirectory(atPath: there.string, withIntermediateDirectories: false)
                defer { try? FileManager.default.removeItem(atPath: there.string) }
                try await body(loop, here, there)
                try await restOfPool(on: loop)
                try await wait(on: loop) { openFiles(in: there).isEmpty }
            }
        }

        private static let areTwoVolumes: Bool = {
            func volume(_ path: String) -> Int? {
                try? FileManager.default.attributesOfItem(atPath: path)[.systemNumber] as? Int
            }
            let (here, there) = (volume(FilePath.systemTemporaryDirectory.string), volume("/dev/shm"))
            return here != nil && there != nil && here != there
        }()

        @Test(
            "To another volume: a file, a tree and a link are there, with permissions and times, and no longer here",
            .enabled(if: areTwoVolumes, "/dev/shm and the temporary directory are one volume"))
        func moveAcrossVolumes() throws {
            try Self.acrossVolumes { loop, here, there in
                let file = here.appending("file")
                try file.put(pattern(50_000))
                try await FileSystem.setPermissions([.ownerReadWrite, .otherRead], of: file)
                try await FileSystem.setTimes(accessed: FileTime(seconds: 5), modified: FileTime(seconds: 7), of: file)
                // In place of another.
                try there.appending("file").put([1])
                try await FileSystem.move(file, to: there.appending("file"))
                #expect(there.appending("file").content == pattern(50_000))
                let status = try await FileSystem.status(of: there.appending("file"))
                #expect(status.modified == FileTime(seconds: 7) && status.permissions == [.ownerReadWrite, .otherRead])
                try await FileSystem.symlink(to: "file", at: here.appending("link"))
                try await FileSystem.move(here.appending("link"), to: there.appending("link"))
                #expect(try await FileSystem.readLink(there.appending("link")) == "file")
                try Self.makeTree(here.appending("tree"), files: 600)
                let batches = Shared<[Int]>([])
                try await FileSystem.move(here.appending("tree"), to: there.appending("tree")) { progress in
                    batches.change { $0.append(progress.entries) }
                }
                Self.expectTree(there.appending("tree"), files: 600)
                #expect(batches.value.count >= 2 && batches.value == batches.value.sorted())
                #expect(here.names == [] && there.names == ["file", "link", "tree"])
                // A directory that is not empty is in the way: all is as it was.
                try Self.makeTree(here.appending("tree"), files: 1)
                await #expect(throws: UVError.self) {
                    try await FileSystem.move(here.appending("tree"), to: there.appending("tree"))
                }
                try await wait(on: loop) { there.names == ["file", "link", "tree"] }
                Self.expectTree(here.appending("tree"), files: 1)
                Self.expectTree(there.appending("tree"), files: 600)
            }
        }

        @Test(
            "C1: cancelled while it copies to another volume: all is here, and nothing there",
            .enabled(if: areTwoVolumes, "/dev/shm and the temporary directory are one volume"))
        func cancelledMove() throws {
            try Self.acrossVolumes { loop, here, there in
                let tree = here.appending("tree")
                try Self.makeTree(tree, files: 1_000)
                let moving = Shared<Task<Void, any Error>?>(nil)
                let task = loop.spawn {
                    while moving.value == nil { await Task.yield() }
                    try await FileSystem.move(tree, to: there.appending("tree")) { _ in moving.value?.cancel() }
                }
                moving.value = task
                #expect(await failure(of: task) is CancellationError)
                // What was copied is removed in the background.
                try await wait(on: loop) { there.names == [] }
                Self.expectTree(tree, files: 1_000)
            }
        }

        // MARK: Trips to the pool

        @Test(
            "Fused operations are one trip to the pool each, trees a trip for each batch",
            .enabled(if: isModuleAlone, "counts for the whole process"))
        func trips() throws {
            try inFolder { loop, folder in
                func trips(_ body: () async throws -> Void) async throws -> Int {
                    let before = ThreadPool.statistics.finished
                    try await body()
                    try await restOfPool(on: loop)
                    return ThreadPool.statistics.finished - before
                }
                let (file, tree, copy) = (folder.appending("file"), folder.appending("tree"), folder.appending("copy"))
                for _ in 0..<2 {
                    #expect(try await trips { try await FileSystem.writeFile(file, pattern(100_000)) } == 1)
                }
                let deep = folder.appending("a/b/c/d/e")
                for _ in 0..<2 {
                    #expect(try await trips { try await FileSystem.makeDirectory(deep, withIntermediates: true) } == 1)
                }
                #expect(try await trips { _ = try await FileSystem.copy(file, to: copy) } == 1)
                #expect(try await trips { try await FileSystem.remove(copy) } == 1)
                try Self.makeTree(tree, files: 10)
                // The attempt at a file that it is not, a look at it, and all the rest, 14 entries, in one: (3, 1). A batch
                // ends after 20 ms too, and on a machine that is busy each try may take more.
                var fewest = (copying: Int.max, removing: Int.max)
                for _ in 0..<20 where fewest != (3, 1) {
                    fewest.copying = min(
                        fewest.copying, try await trips { _ = try await FileSystem.copy(tree, to: copy) })
                    fewest.removing = min(fewest.removing, try await trips { try await FileSystem.remove(copy) })
                }
                #expect((3...5).contains(fewest.copying) && (1...3).contains(fewest.removing), "\(fewest)")
                try await FileSystem.remove(tree)
                try Self.makeTree(tree, files: 2_000)
                // 2,004 entries, 256 a trip; a batch ends after 20 ms too, on a machine that is busy.
                let copying = try await trips { _ = try await FileSystem.copy(tree, to: copy) }
                #expect((8...1_000).contains(copying), "\(copying) trips")
                let removing = try await trips { try await FileSystem.remove(copy) }
                #expect((8...1_000).contains(removing), "\(removing) trips")
            }
        }
    }
}
