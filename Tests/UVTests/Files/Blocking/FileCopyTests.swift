import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileCopyTests {
    func copy(_ source: FilePath, to destination: FilePath, isReplacing: Bool = true) throws -> Int64 {
        try done { try FileRequest.copy(source, to: destination, isReplacing: isReplacing, on: $0, onDone: $1) }
    }

    func status(_ path: FilePath) throws -> FileStatus {
        try done { try FileRequest.start(.status(of: path, followingLinks: false), on: $0, onDone: $1) }
    }

    @Test(
        "Copies content and permissions, of any size",
        arguments: [0, 1, 4_096, 131_071, 131_072, 131_073, 1_000_000, 20 << 20])
    func sizes(_ count: Int) throws {
        try withFolder { folder in
            let bytes = pattern(count: count)
            let source = try folder.file("from", bytes, [.ownerReadWriteExecute, .groupRead, .otherWrite])
            try #expect(copy(source, to: folder("to")) == Int64(count))
            try #expect(areEqual(content(of: folder("to")), bytes))
            try #expect(status(folder("to")).permissions == [.ownerReadWriteExecute, .groupRead, .otherWrite])
            try #expect(folder.names() == ["from", "to"])
        }
    }

    @Test("Bits that let a program run as its owner are not copied")
    func setUserID() throws {
        try withFolder { folder in
            try folder.file("from", [1], [.ownerReadWriteExecute, .setUserID, .setGroupID])
            _ = try copy(folder("from"), to: folder("to"))
            try #expect(status(folder("to")).permissions == .ownerReadWriteExecute)
            _ = try done { try TreeRequest.copy(folder("from"), to: folder("tree"), on: $0, onDone: $1) }
            try #expect(status(folder("tree")).permissions == .ownerReadWriteExecute)
        }
    }

    @Test("Replaces an existing file, or refuses to")
    func existing() throws {
        try withFolder { folder in
            let source = try folder.file("from", [1, 2, 3])
            let old = try folder.file("to", [9])
            folder.link("dangling", to: "none")
            for path in [old, folder("dangling"), folder.path] {
                expect(.fileExists, of: path) { try copy(source, to: path, isReplacing: false) }
            }
            try #expect(content(of: old) == [9])
            let inode = try status(old).inode
            try #expect(copy(source, to: old) == 3)
            try #expect(content(of: old) == [1, 2, 3] && status(old).inode != inode)
            try #expect(copy(source, to: folder("new"), isReplacing: false) == 3)
            try #expect(folder.names() == ["dangling", "from", "new", "to"])
        }
    }

    @Test("Links at the destination stay; a file onto itself stays as it is, under any name")
    func ontoItself() throws {
        try withFolder { folder in
            let source = try folder.file("from", [1, 2, 3])
            try folder.file("old", [9])
            folder.link("link", to: "old")
            try #expect(copy(source, to: folder("link")) == 3)
            try #expect(content(of: folder("old")) == [1, 2, 3] && status(folder("link")).kind == .symbolicLink)
            // A link to nothing: what it points to is made.
            folder.link("dangling", to: "new")
            try #expect(copy(source, to: folder("dangling")) == 3)
            try #expect(content(of: folder("new")) == [1, 2, 3] && status(folder("dangling")).kind == .symbolicLink)

            folder.link("self", to: "from")
            unsafe #expect(link(source.string, folder("hard").string) == 0)
            let inode = try status(source).inode
            for name in ["from", "self", "hard", "./from"] {
                try #expect(copy(source, to: folder(name)) == 0)
                try #expect(content(of: source) == [1, 2, 3] && status(source).inode == inode)
            }
            try #expect(status(folder("self")).kind == .symbolicLink)
        }
    }

    @Test("The errors name the path that is meant")
    func errors() throws {
        try withFolder { folder in
            let file = try folder.file("file", [1])
            expect(.noSuchFileOrDirectory, of: folder("none")) { try copy(folder("none"), to: folder("to")) }
            expect(.noSuchFileOrDirectory, of: folder("no/to")) { try copy(file, to: folder("no/to")) }
            expect(.isDirectory, of: folder.path) { try copy(folder.path, to: folder("to")) }
            expect(.isDirectory, of: folder.path) { try copy(file, to: folder.path) }
            expect(.notSupported, of: folder("fifo")) { try copy(folder.fifo("fifo"), to: folder("to")) }
            expect(.notSupported, of: folder("fifo")) { try copy(file, to: folder("fifo")) }
            expect(.notSupported, of: "/dev/zero") { try copy("/dev/zero", to: folder("to")) }
            expect(.notSupported, of: "/dev/null") { try copy(file, to: "/dev/null") }
            expect(.notDirectory, of: file.appending("to")) { try copy(file, to: file.appending("to")) }
            let long = folder(String(repeating: "x", count: 300))
            expect(.fileNameTooLong, of: long) { try copy(file, to: long) }
            let longest = folder(String(repeating: "x", count: 255))
            try #expect(copy(file, to: longest) == 1)
            try #expect(folder.names() == ["fifo", "file", longest.lastComponent!.string].sorted())
        }
        try #expect(
            done { try FileRequest.start(.status(of: "/dev/null"), on: $0, onDone: $1) }.kind == .characterDevice)
    }

    #if os(Linux)
    @Test("Defect 9: a pseudo-file that claims to be empty is copied to its end")
    func pseudoFile() throws {
        try withFolder { folder in
            try #expect(copy("/proc/self/status", to: folder("to")) > 100)
            try #expect(String(decoding: content(of: folder("to")), as: UTF8.self).contains("VmRSS"))
            let size = try status("/sys/kernel/mm/transparent_hugepage/enabled").size
            let copied = try copy("/sys/kernel/mm/transparent_hugepage/enabled", to: folder("sys"))
            #expect(copied > 0 && copied < size, "it claims to be a page")
        }
    }
    #endif

    @Test("Defect 9: a source that shrinks meanwhile ends the copy early")
    func shrinking() throws {
        try withFolder { folder in
            let source = try folder.file("from", pattern(count: 64 << 20))
            var progress: [Int64] = []
            let count = try done { loop, onDone in
                try FileRequest.copy(source, to: folder("to"), on: loop) { _, bytes in
                    progress.append(bytes)
                    unsafe #expect(truncate(source.string, 4_096) == 0)
                } onDone: {
                    onDone($0, $1)
                }
            }
            try #expect(status(folder("to")).size == count)
            // Where the file system shares blocks, all is done at once.
            if !progress.isEmpty { #expect(count < 64 << 20) }
        }
    }

    #if os(Linux)
    @Test("A sparse source that is cut when its last data have been found: as many bytes as are told are there")
    func cutBehindHole() throws {
        try withFolder { folder in
            for (size, expected): (off_t, Int64) in [(1 << 20, 1 << 20), (4, 4)] {
                for name in ["to", "tree"] {
                    let source = try folder.file("from \(name) \(size)", [1, 2, 3, 4])
                    try folder.opened(source, .writeOnly) { _ = try $0.writeAll(toAbsoluteOffset: 1 << 30, [5]) }
                    unsafe cfaults_cut_when_found(source.string, Int64(size))
                    let to = folder("\(name) \(size)")
                    let told =
                        name == "to"
                        ? try copy(source, to: to)
                        : try done { try TreeRequest.copy(source, to: to, on: $0, onDone: $1) }.bytes
                    try #expect(status(source).size == Int64(size), "it was cut")
                    try #expect(told == status(to).size && told >= expected)
                }
            }
        }
    }
    #endif

    @Test("Progress comes between trips to the pool, the result last; canceled then, nothing is left")
    func progressAndCancel() throws {
        try withFolder { folder in
            let source = try folder.file("from", pattern(count: 40 << 20))
            try folder.file("to", [1])
            for cancels in [false, true] {
                var seen: [Int64] = [], results: [Result<Int64, UVError>] = []
                try withLoop { loop in
                    try FileRequest.copy(source, to: folder("to"), on: loop) { request, bytes in
                        #expect(results.isEmpty)
                        seen.append(bytes)
                        if cancels { #expect(throws: Never.self) { try request.cancel() } }
                    } onDone: {
                        results.append($1)
                    }
                }
                #expect(seen == seen.sorted() && results.count == 1)
                if cancels, !seen.isEmpty {
                    #expect(results.first?.errorCode == .canceled && seen.count == 1)
                    // What the copy before has left.
                    try #expect(areEqual(content(of: folder("to")), pattern(count: 40 << 20)))
                } else {
                    #expect(results.first == .success(40 << 20))
                }
                try #expect(folder.names() == ["from", "to"])
            }
        }
    }

    @Test("Holes stay holes")
    func holes() throws {
        try withFolder { folder in
            let source = folder("from")
            let file = try FileDescriptor.open(
                source, .readWrite, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter {
                _ = try file.writeAll(toAbsoluteOffset: 0, [1, 2, 3])
                _ = try file.writeAll(toAbsoluteOffset: 1 << 30, [4, 5, 6])
                #expect(ftruncate(file.rawValue, 1 << 33) == 0)
            }
            guard try status(source).allocatedSize < 1 << 20 else { return }
            for name in ["to", "tree"] {
                let to = folder(name)
                if name == "to" {
                    try #expect(copy(source, to: to) == 1 << 33)
                } else {
                    _ = try done { try TreeRequest.copy(source, to: to, on: $0, onDone: $1) }
                }
                let new = try status(to)
                #expect(new.size == 1 << 33 && new.allocatedSize < 1 << 20)
                try folder.opened(to) { file in
                    try #expect(
                        done { try FileRequest.read(from: file, upTo: 4, at: 0, on: $0, onDone: $1) } == [1, 2, 3, 0])
                    try #expect(
                        done { try FileRequest.read(from: file, upTo: 5, at: (1 << 30) - 1, on: $0, onDone: $1) }
                            == [0, 4, 5, 6, 0])
                }
            }
        }
    }
}
