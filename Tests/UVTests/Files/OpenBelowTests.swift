import CPlatform
import Foundation
import SystemPackage
import TestSupport
import Testing

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
