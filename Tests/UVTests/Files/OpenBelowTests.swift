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
