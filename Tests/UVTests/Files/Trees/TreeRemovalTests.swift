import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TreeRemovalTests {
    @discardableResult
    func remove(_ path: FilePath) throws -> TreeRequest.Progress {
        try done { try TreeRequest.remove(path, on: $0, onDone: $1) }
    }

    /// Directories in each other, with a file before and behind the next one.
    ///
    /// - Returns: The number of entries, the root included.
    static func makeDeepTree(_ root: FilePath, levels: Int) throws -> Int {
        unsafe try #require(mkdir(root.string, 0o755) == 0)
        var level = try FileDescriptor.open(root, .readOnly)
        for _ in 0..<levels {
            for name in ["a", "z"] {
                let file = unsafe openat(level.rawValue, name, O_CREAT | O_WRONLY, 0o644)
                try #require(file >= 0)
                close(file)
            }
            try #require(unsafe mkdirat(level.rawValue, "deeper", 0o755) == 0)
            let below = unsafe openat(level.rawValue, "deeper", O_RDONLY | O_DIRECTORY)
            try #require(below >= 0)
            try level.close()
            level = FileDescriptor(rawValue: below)
        }
        try level.close()
        return 3 * levels + 1
    }

    @Test("Removes a file, a link, a FIFO, an empty directory, a tree; links are not followed")
    func everything() throws {
        try withFolder { folder in
            try folder.folder("kept")
            try folder.file("kept/file", [1])
            try folder.folder("tree/a/b/c")
            folder.link("tree/a/out", to: "../../kept")
            folder.link("tree/a/b/up", to: "..")
            folder.link("tree/loop", to: "loop")
            folder.fifo("tree/fifo")
            try folder.file("tree/a/.hidden")
            try FileDescriptor.open(
                folder("tree").appending(FileNameTests.oddName), .writeOnly, options: .create,
                permissions: .ownerReadWrite
            ).close()
            #expect(try remove(folder("tree")).entries == 10)
            folder.link("link", to: "kept")
            #expect(try remove(folder("link")).entries == 1)
            folder.link("link", to: "none")
            try remove(folder("link"))
            try remove(folder.fifo("fifo"))
            try remove(folder.file("file"))
            try remove(folder.folder("folder"))
            try #expect(folder.names() == ["kept"] && folder.names("kept") == ["file"])
        }
    }

    @Test("The errors, with the path; the root and dots are refused")
    func errors() throws {
        try withFolder { folder in
            expect(.noSuchFileOrDirectory, of: folder("none")) { try remove(folder("none")) }
            let file = try folder.file("file")
            expect(.notDirectory, of: file.appending("x")) { try remove(file.appending("x")) }
            for path: FilePath in ["/", ".", "..", "a/.", "a/.."] {
                expect(.invalidArgument, of: path) { try remove(path) }
            }
            folder.link("loop", to: "loop")
            expect(.tooManySymbolicLinkLevels, of: folder("loop/x")) { try remove(folder("loop/x")) }
        }
    }

    @Test("What cannot be removed ends it with its path", .enabled(if: getuid() == 0, "needs to become somebody else"))
    func noPermission() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                try folder.folder("tree/locked")
                try folder.file("tree/locked/file")
                folder.setMode(0o777)
                folder.setMode(0o777, of: "tree")
                asNobody {
                    for path in [folder("tree"), folder("tree/locked"), folder("tree/locked/file")] {
                        expect(.permissionDenied, of: folder("tree/locked/file")) {
                            try done { try TreeRequest.remove(path, on: $0, onDone: $1) }
                        }
                    }
                }
                try #expect(folder.names("tree/locked") == ["file"])
            }
        }
    }

    @Test("Progress between the trips to the pool; canceled, the rest is still there and can be removed")
    func progressAndCancel() throws {
        try withFolder { folder in
            for index in 0..<2_000 {
                if index % 100 == 0 { try folder.folder("tree/\(index / 100)") }
                try folder.file("tree/\(index / 100)/\(index)")
            }
            var seen: [Int] = []
            var result: Result<TreeRequest.Progress, UVError>?
            try withLoop { loop in
                try TreeRequest.remove(folder("tree"), on: loop) { request, progress in
                    // A batch ends after 20 ms, too: on a busy machine one may have removed nothing.
                    if progress.entries == seen.last ?? 0 { return }
                    seen.append(progress.entries)
                    if seen.count == 2 { try! request.cancel() }
                } onDone: {
                    result = $1
                }
            }
            expectError(.canceled) { try result?.get() }
            #expect(seen.count == 2 && seen[0] > 0 && seen[1] > seen[0])
            let rest = try FileManager.default.subpathsOfDirectory(atPath: folder("tree").string).count
            #expect(rest > 0 && rest < 2_021)
            #expect(try remove(folder("tree")).entries == rest + 1)
            try #expect(folder.names() == [])
        }
    }

    @Test("A tree that somebody else removes at the same time is removed")
    func together() throws {
        try withFolder { folder in
            for index in 0..<500 {
                if index % 50 == 0 { try folder.folder("tree/\(index / 50)") }
                try folder.file("tree/\(index / 50)/\(index)")
            }
            var results: [Result<TreeRequest.Progress, UVError>] = []
            try withLoop { loop in
                for _ in 0..<3 { try TreeRequest.remove(folder("tree"), on: loop) { results.append($1) } }
            }
            #expect(results.count == 3)
            for case .failure(let error) in results {
                // Too late for the beginning.
                #expect(error.code == .noSuchFileOrDirectory && error.subject == folder("tree").string)
            }
            try #expect(folder.names() == [])
        }
    }

    @Test("A directory exchanged for a link meanwhile leads nowhere")
    func exchanged() throws {
        try withFolder { folder in
            try folder.folder("kept")
            for index in 0..<300 { try folder.file("kept/\(index)") }
            for index in 0..<300 { try folder.folder("tree/\(index)") }
            var isOver = false
            let paths = (0..<300).map { folder("tree/\($0)").string }
            let target = folder("kept").string
            let vandal = Thread {
                while !Thread.current.isCancelled {
                    for path in paths where unsafe rmdir(path) == 0 { _ = unsafe symlink(target, path) }
                }
            }
            vandal.start()
            try withLoop { loop in try TreeRequest.remove(folder("tree"), on: loop) { _, _ in isOver = true } }
            vandal.cancel()
            while !vandal.isFinished { usleep(1_000) }
            #expect(isOver)
            try #expect(folder.names("kept").count == 300)
        }
    }
}
