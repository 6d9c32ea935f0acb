import CFaults
import CPlatform
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What is opened below a directory is in that directory.
@Suite(.ownThread) struct OpenBelowTests {
    @Test("Inside, by links too; nothing outside; with the system's call and without", arguments: [true, false])
    func paths(_ withSystemCall: Bool) throws {
        try withFolder { folder in
            try folder.file("secret", [9])
            try folder.folder("root/a/b")
            try folder.file("root/file", [1])
            try folder.file("root/a/b/file", [2])
            for (name, target) in [
                ("root/in", "a/../file"), ("root/a/up", "../file"), ("root/a/b/far", "../.././a/b/../b/file"),
                ("root/deep", "a/b"), ("root/chain", "in"), ("root/out", "../secret"), ("root/a/out", "../../secret"),
                ("root/way", ".."), ("root/a/way", "../.."), ("root/absolute", folder("root/file").string),
                ("root/loop", "loop"), ("root/slash", "deep/"),
            ] { folder.link(name, to: target) }
            let root = try FileDescriptor.open(folder("root"), .readOnly)
            func read(_ path: String) -> (content: [UInt8]?, error: CInt) {
                let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK
                let number =
                    unsafe withSystemCall
                    ? cplatform_open_below(root.rawValue, path, flags, 0)
                    : cplatform_walk_below(root.rawValue, path, flags, 0)
                if number < 0 { return (nil, errno) }
                let file = FileDescriptor(rawValue: number)
                return (try? file.closeAfter { try file.read(upTo: 9) }, 0)
            }
            for path in ["file", "./file", "a/../file", "in", "a/up", "chain", "a/b/../../file", "deep/../../file"] {
                #expect(read(path).content == [1], "\(path)")
            }
            for path in ["a/b/file", "deep/file", "a/b/far", "deep/far", "slash/file", "a//b///file"] {
                #expect(read(path).content == [2], "\(path)")
            }
            for path in ["..", "../secret", "out", "a/out", "way/secret", "a/way/secret", "absolute", "/", "a/../.."] {
                #expect(read(path).error == EXDEV, "\(path)")
            }
            for (path, error) in [
                ("none", ENOENT), ("file/x", ENOTDIR), ("file/", ENOTDIR), ("loop", ELOOP), ("a/none/x", ENOENT),
                (String(repeating: "x", count: 300), ENAMETOOLONG),
            ] { #expect(read(path).error == error, "\(path)") }
            for path in [".", "a", "deep", "a/b/", "a/b/.."] { #expect(read(path).error == 0, "\(path)") }
            try root.close()
        }
    }
}

extension OpenBelowTests {
    @Test("The operations of the callback layer: opened files, status, entries, whole files, names")
    func operations() throws {
        try withFolder { folder in
            try folder.file("secret", [9])
            try folder.folder("root/a")
            try folder.file("root/a/file", [1, 2])
            folder.link("root/out", to: "../secret")
            let root = try FileDescriptor.open(folder("root"), .readOnly)
            let opened = try done { try FileRequest.start(.open("a/file", below: root), on: $0, onDone: $1) }
            #expect(opened.status.size == 2 && opened.status.kind == .regular)
            #expect(try opened.descriptor.closeAfter { try opened.descriptor.read(upTo: 9) } == [1, 2])
            let status = try done {
                try FileRequest.start(.status(of: "out", below: root, followingLinks: false), on: $0, onDone: $1)
            }
            #expect(status.kind == .symbolicLink)
            let entries = try done { try FileRequest.start(.entries(of: ".", below: root), on: $0, onDone: $1) }
            #expect(Set(entries.map(\.name.string)) == ["a", "out"])
            let bytes = try done { try FileRequest.start(.readFile("a/file", below: root), on: $0, onDone: $1) }
            #expect(bytes == [1, 2])
            try done { try FileRequest.start(.makeDirectory("b", below: root), on: $0, onDone: $1) }
            try done { try FileRequest.start(.rename("a/file", to: "b/file", below: root), on: $0, onDone: $1) }
            #expect(try folder.names("root/b") == ["file"])
            try done { try FileRequest.start(.removeFile("b/file", below: root), on: $0, onDone: $1) }
            try done { try FileRequest.start(.removeDirectory("b", below: root), on: $0, onDone: $1) }
            #expect(try folder.names("root") == ["a", "out"])
            expect(.improperLink, of: "out") {
                try done { try FileRequest.start(.open("out", below: root), on: $0, onDone: $1) }
            }
            expect(.improperLink, of: "../secret") {
                try done { try FileRequest.start(.status(of: "../secret", below: root), on: $0, onDone: $1) }
            }
            expect(.improperLink, of: "out/../../secret") {
                try done { try FileRequest.start(.readFile("out/../../secret", below: root), on: $0, onDone: $1) }
            }
            expectError(.noSuchFileOrDirectory) {
                try done { try FileRequest.start(.open("", below: root), on: $0, onDone: $1) }
            }
            try root.close()
        }
    }

    @Test("Status of links, with the system's call and without", arguments: [true, false])
    func found(_ withSystemCall: Bool) throws {
        try withFolder { folder in
            try folder.folder("root/a")
            try folder.file("root/file", [1])
            for (name, target) in [("in", "a/../file"), ("deep", "a"), ("out", "..")] {
                folder.link("root/\(name)", to: target)
            }
            let root = try FileDescriptor.open(folder("root"), .readOnly)
            func kind(_ path: String, _ flags: CInt) -> mode_t? {
                // O_PATH, which Swift does not show.
                let flags = 0o10000000 | O_CLOEXEC | flags
                let file =
                    unsafe withSystemCall
                    ? cplatform_open_below(root.rawValue, path, flags, 0)
                    : cplatform_walk_below(root.rawValue, path, flags, 0)
                var status = stat()
                guard file >= 0, unsafe fstat(file, &status) == 0 else { return nil }
                close(file)
                return status.st_mode & S_IFMT
            }
            #expect(kind("in", 0) == S_IFREG && kind("in", O_NOFOLLOW) == S_IFLNK)
            #expect(kind("deep", 0) == S_IFDIR && kind("deep", O_NOFOLLOW) == S_IFLNK)
            #expect(kind("out", 0) == nil && kind("out", O_NOFOLLOW) == S_IFLNK)
            #expect(kind("a/../in", 0) == S_IFREG && kind("none", 0) == nil)
            try root.close()
        }
    }
}

extension OpenBelowTests {
    @Test func changes() throws { try Self.checkChanges() }

    @Test("The same without the system's call, as on an older kernel")
    func changesWithoutSystemCall() async {
        await #expect(processExitsWith: .success) {
            guard cfaults_forget_openat2() == 0 else { return }
            let file = unsafe cplatform_open_cached_below(AT_FDCWD, ".", O_RDONLY)
            guard file < 0, errno == ENOSYS else { fatalError("openat2 is still there") }
            try synchronously { try OpenBelowTests.checkChanges() }
        }
    }

    /// Whole files, links, permissions and times below a directory: what is done, what fails, and that nothing outside is touched.
    private static func checkChanges() throws {
        try withFolder { folder in
            try folder.file("secret", [9], [.ownerRead])
            try folder.folder("root/a")
            try folder.file("root/file", [1], [.ownerReadWrite, .groupRead])
            for (name, target) in [
                ("root/in", "a/../file"), ("root/new", "a/made"), ("root/out", "../secret"), ("root/way", ".."),
                ("root/absolute", folder("root/file").string), ("root/loop", "loop"), ("root/here", "a/.."),
            ] { folder.link(name, to: target) }
            let root = try FileDescriptor.open(folder("root"), .readOnly)
            defer { try? root.close() }
            let secret = try done { try FileRequest.start(.status(of: folder("secret")), on: $0, onDone: $1) }
            try checkWholeFiles(folder, root)
            try checkLinks(folder, root)
            try checkStatus(folder, root)
            for path in ["out", "way/secret", "../secret", "absolute", "a/../../secret"] as [FilePath] {
                expect(.improperLink, of: path) {
                    try done { try FileRequest.start(.writeFile(path, [7], below: root), on: $0, onDone: $1) }
                }
                expect(.improperLink, of: path) {
                    try done {
                        try FileRequest.start(
                            .setPermissions(.ownerReadWrite, of: path, below: root), on: $0, onDone: $1)
                    }
                }
                expect(.improperLink, of: path) {
                    try done {
                        try FileRequest.start(
                            .setTimes(accessed: .now, modified: .now, of: path, below: root), on: $0, onDone: $1)
                    }
                }
            }
            for path in ["way/secret", "../secret", "way/new", "a/../../new"] as [FilePath] {
                expect(.improperLink, of: path) {
                    try done { try FileRequest.start(.symlink(to: "file", at: path, below: root), on: $0, onDone: $1) }
                }
                expect(.improperLink, of: path) {
                    try done { try FileRequest.start(.link("file", at: path, below: root), on: $0, onDone: $1) }
                }
                expect(.improperLink, of: path) {
                    try done { try FileRequest.start(.link(path, at: "b", below: root), on: $0, onDone: $1) }
                }
                expect(.improperLink, of: path) {
                    try done { try FileRequest.start(.readLink(path, below: root), on: $0, onDone: $1) }
                }
                expect(.improperLink, of: path) {
                    try done {
                        try FileRequest.start(
                            .setTimes(accessed: .now, modified: .now, of: path, below: root, followingLinks: false),
                            on: $0, onDone: $1)
                    }
                }
            }
            let after = try done { try FileRequest.start(.status(of: folder("secret")), on: $0, onDone: $1) }
            #expect(after == secret && folder.content(of: "secret") == [9])
            #expect(try folder.names() == ["root", "secret"])
        }
    }

    private static func checkWholeFiles(_ folder: TestFolder, _ root: FileDescriptor) throws {
        func write(_ path: FilePath, _ bytes: [UInt8], _ permissions: FilePermissions? = nil) throws {
            try done {
                try FileRequest.start(
                    .writeFile(path, bytes, below: root, permissions: permissions), on: $0, onDone: $1)
            }
        }
        try write("file", [1, 2])
        try write("in", [1, 2, 3])
        #expect(folder.content(of: "root/file") == [1, 2, 3])
        try write("a/whole", [4], .ownerRead)
        #expect(folder.content(of: "root/a/whole") == [4])
        // A link to what does not exist yet stays, too.
        try write("new", [5])
        #expect(folder.content(of: "root/a/made") == [5])
        let status = try done {
            try FileRequest.start(.status(of: "file", below: root), on: $0, onDone: $1)
        }
        #expect(status.permissions == [.ownerReadWrite, .groupRead], "those of the old file")
        #expect(
            try done { try FileRequest.start(.status(of: "a/whole", below: root), on: $0, onDone: $1) }.permissions
                == .ownerRead)
        for path in ["a", "here", "."] as [FilePath] { expect(.isDirectory, of: path) { try write(path, []) } }
        expect(.noSuchFileOrDirectory, of: "none/file") { try write("none/file", []) }
        expect(.notDirectory, of: "file/x") { try write("file/x", []) }
        expect(.tooManySymbolicLinkLevels, of: "loop") { try write("loop", []) }
        expectError(.noSuchFileOrDirectory) { try write("", []) }
        #expect(try folder.names("root/a") == ["made", "whole"], "nothing is left over")
        // In place: a FIFO keeps its name.
        folder.fifo("root/pipe")
        let reader = try FileDescriptor.open(folder("root/pipe"), .readOnly, options: .nonBlocking)
        try write("pipe", [6])
        #expect(try reader.closeAfter { try reader.read(upTo: 9) } == [6])
    }

    private static func checkLinks(_ folder: TestFolder, _ root: FileDescriptor) throws {
        func readLink(_ path: FilePath) throws -> FilePath {
            try done { try FileRequest.start(.readLink(path, below: root), on: $0, onDone: $1) }
        }
        try done { try FileRequest.start(.symlink(to: "../file", at: "a/link", below: root), on: $0, onDone: $1) }
        #expect(try readLink("a/link") == "../file" && folder.content(of: "root/a/link") == [1, 2, 3])
        try done { try FileRequest.start(.symlink(to: "/etc/passwd", at: "far", below: root), on: $0, onDone: $1) }
        #expect(try readLink("far") == "/etc/passwd" && readLink("out") == "../secret")
        expect(.improperLink, of: "far") {
            try done { try FileRequest.start(.readFile("far", below: root), on: $0, onDone: $1) }
        }
        expect(.fileExists, of: "a/link") {
            try done { try FileRequest.start(.symlink(to: "x", at: "a/link", below: root), on: $0, onDone: $1) }
        }
        expect(.invalidArgument, of: "file") { try readLink("file") }
        expect(.noSuchFileOrDirectory, of: "none") { try readLink("none") }
        expect(.invalidArgument, of: "..") { try readLink("..") }
        try done { try FileRequest.start(.link("file", at: "a/second", below: root), on: $0, onDone: $1) }
        let status = try done { try FileRequest.start(.status(of: "file", below: root), on: $0, onDone: $1) }
        #expect(status.linkCount == 2)
        // The link itself.
        try done { try FileRequest.start(.link("out", at: "a/out", below: root), on: $0, onDone: $1) }
        #expect(try readLink("a/out") == "../secret")
        expect(.fileExists, of: "file") {
            try done { try FileRequest.start(.link("file", at: "a/second", below: root), on: $0, onDone: $1) }
        }
        expect(.noSuchFileOrDirectory, of: "none") {
            try done { try FileRequest.start(.link("none", at: "b", below: root), on: $0, onDone: $1) }
        }
    }

    private static func checkStatus(_ folder: TestFolder, _ root: FileDescriptor) throws {
        func status(_ path: FilePath, followingLinks: Bool = true) throws -> FileStatus {
            try done {
                try FileRequest.start(
                    .status(of: path, below: root, followingLinks: followingLinks), on: $0, onDone: $1)
            }
        }
        func setPermissions(_ permissions: FilePermissions, _ path: FilePath) throws {
            try done {
                try FileRequest.start(.setPermissions(permissions, of: path, below: root), on: $0, onDone: $1)
            }
        }
        // Nobody may read it, and yet it can be changed.
        try setPermissions([], "in")
        #expect(try status("file").permissions == [])
        try setPermissions(.ownerReadWrite, "file")
        #expect(try status("file").permissions == .ownerReadWrite)
        try setPermissions(.ownerReadWriteExecute, "a")
        #expect(try status("a").permissions == .ownerReadWriteExecute)
        expect(.noSuchFileOrDirectory, of: "none") { try setPermissions(.ownerRead, "none") }

        func setTimes(_ seconds: Int64, _ path: FilePath, followingLinks: Bool = true) throws {
            try done {
                try FileRequest.start(
                    .setTimes(
                        accessed: FileTime(seconds: seconds, nanoseconds: 1),
                        modified: FileTime(seconds: seconds, nanoseconds: 2), of: path, below: root,
                        followingLinks: followingLinks), on: $0, onDone: $1)
            }
        }
        try setTimes(1_000, "in")
        #expect(try status("file").modified == FileTime(seconds: 1_000, nanoseconds: 2))
        #expect(try status("file").accessed == FileTime(seconds: 1_000, nanoseconds: 1))
        // The link, not the secret.
        try setTimes(2_000, "out", followingLinks: false)
        #expect(try status("out", followingLinks: false).modified == FileTime(seconds: 2_000, nanoseconds: 2))
        #expect(try status("file").modified.seconds == 1_000)
        expect(.noSuchFileOrDirectory, of: "none") { try setTimes(1, "none") }
        expect(.noSuchFileOrDirectory, of: "none") { try setTimes(1, "none", followingLinks: false) }
    }
}

extension TestFolder {
    fileprivate func content(of name: String) -> [UInt8]? { try? UVTests.content(of: self(name)) }
}
