import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Names in directories: each operation, and the error that comes most often, with the path.
@Suite(.ownThread) struct FileNameTests {
    /// A name that is not UTF-8.
    static var oddName: FilePath.Component { FilePath.Component(platformString: [0x61, -1, -2, 0x62, 0])! }

    @Test("open: creates with permissions; missing, there already, a directory, too many links, too long")
    func open() throws {
        try withFolder { folder in
            let path = folder("new")
            let file = try done {
                try FileRequest.start(
                    .open(path, .readWrite, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite]),
                    on: $0, onDone: $1)
            }
            try file.close()
            try #expect(
                done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }.permissions == .ownerReadWrite)
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.open(folder("none"), .readOnly), on: $0, onDone: $1) }
            }
            expect(.fileExists, of: path) {
                try done {
                    try FileRequest.start(
                        .open(path, .writeOnly, options: [.create, .exclusiveCreate]), on: $0, onDone: $1)
                }
            }
            expect(.isDirectory, of: folder.path) {
                try done { try FileRequest.start(.open(folder.path, .writeOnly), on: $0, onDone: $1) }
            }
            folder.link("loop", to: "loop")
            expect(.tooManySymbolicLinkLevels, of: folder("loop")) {
                try done { try FileRequest.start(.open(folder("loop"), .readOnly), on: $0, onDone: $1) }
            }
            let long = FilePath(String(repeating: "x", count: 70_000))
            expect(.fileNameTooLong, of: long) {
                try done { try FileRequest.start(.open(long, .readOnly), on: $0, onDone: $1) }
            }
            expect(.notDirectory, of: path.appending("below")) {
                try done { try FileRequest.start(.open(path.appending("below"), .readOnly), on: $0, onDone: $1) }
            }
        }
    }

    @Test("F2: no permission", .enabled(if: getuid() == 0, "only the superuser can become somebody else"))
    func noPermission() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let path = try folder.file("mine", [1])
                let locked = try folder.folder("locked")
                _ = unsafe chmod(locked.string, 0o700)
                folder.setMode(0o755)
                // The threads of the pool are made in here: they have the new user.
                asNobody {
                    for isEnabled in [true, false] {
                        PageCache.isEnabled = isEnabled
                        expect(.permissionDenied, of: path) {
                            try done { try FileRequest.start(.readFile(path), on: $0, onDone: $1) }
                        }
                        let loop = try? Loop()
                        #expect(loop.map { PageCache.readFile(path, limit: 10, on: $0) == nil } == true)
                        try? loop?.close()
                    }
                    expect(.permissionDenied, of: locked) {
                        try done { try FileRequest.start(.openDirectory(locked), on: $0, onDone: $1) }
                    }
                    expect(.permissionDenied, of: locked) {
                        try done { try FileRequest.start(.entries(of: locked), on: $0, onDone: $1) }
                    }
                    expect(.permissionDenied, of: locked) {
                        try done { try TreeRequest.copy(locked, to: folder("copy"), on: $0, onDone: $1) }
                    }
                    expect(.permissionDenied, of: path) {
                        try done { try FileRequest.start(.open(path, .readOnly), on: $0, onDone: $1) }
                    }
                    expect(.permissionDenied, of: path) {
                        try done { try FileRequest.copy(path, to: folder("copy"), on: $0, onDone: $1) }
                    }
                    expect(.permissionDenied, of: folder.path) {
                        try done { try TreeRequest.remove(folder("mine"), on: $0, onDone: $1) }
                    }
                    expect(.notPermitted, of: path) {
                        try done { try FileRequest.start(.setPermissions(.ownerRead, of: path), on: $0, onDone: $1) }
                    }
                }
            }
        }
    }

    @Test("F3: a FIFO without the other side does not hold a thread: eight opens, then a read")
    func fifos() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            var ended = 0
            try withLoop { loop in
                for _ in 0..<8 {
                    try FileRequest.start(.open(fifo, .readOnly), on: loop) { _, result in
                        try! result.get().close()
                        ended += 1
                    }
                }
                try FileRequest.start(.status(of: fifo), on: loop) { _, result in
                    #expect(try! result.get().kind == .fifo)
                    ended += 1
                }
            }
            #expect(ended == 9)
            expect(.noSuchAddressOrDevice, of: fifo) {
                try done { try FileRequest.start(.open(fifo, .writeOnly), on: $0, onDone: $1) }
            }
            let both = try done { try FileRequest.start(.open(fifo, .readWrite), on: $0, onDone: $1) }
            var read: [UInt8] = []
            try withLoop { loop in
                try FileRequest.read(from: both, upTo: 1, at: nil, on: loop) { _, result in read = try! result.get() }
                try FileRequest.start(.write([7], to: both, at: nil), on: loop) { _, result in
                    #expect(try! result.get() == 1)
                }
            }
            #expect(read == [7])
            try both.close()
        }
    }

    @Test("rename, link, symlink, readLink, realPath, removeFile")
    func names() throws {
        try withFolder { folder in
            let (a, b, c) = (try folder.file("a", [1]), folder("b"), folder("c"))
            try done { try FileRequest.start(.rename(a, to: b), on: $0, onDone: $1) }
            try #expect(folder.names() == ["b"])
            try done { try FileRequest.start(.link(b, at: a), on: $0, onDone: $1) }
            try #expect(done { try FileRequest.start(.status(of: a), on: $0, onDone: $1) }.linkCount == 2)
            try done { try FileRequest.start(.symlink(to: "a", at: c), on: $0, onDone: $1) }
            try #expect(done { try FileRequest.start(.readLink(c), on: $0, onDone: $1) } == "a")
            let real = try done { try FileRequest.start(.realPath(of: c), on: $0, onDone: $1) }
            #expect(real.lastComponent == "a" && real.isAbsolute)
            try done { try FileRequest.start(.removeFile(c), on: $0, onDone: $1) }
            try #expect(folder.names() == ["a", "b"])

            let none = folder("none")
            expect(.noSuchFileOrDirectory, of: "\(none) to \(c)") {
                try done { try FileRequest.start(.rename(none, to: c), on: $0, onDone: $1) }
            }
            expect(.fileExists, of: "\(a) to \(b)") {
                try done { try FileRequest.start(.link(a, at: b), on: $0, onDone: $1) }
            }
            expect(.fileExists, of: b) {
                try done { try FileRequest.start(.symlink(to: a, at: b), on: $0, onDone: $1) }
            }
            expect(.invalidArgument, of: a) { try done { try FileRequest.start(.readLink(a), on: $0, onDone: $1) } }
            expect(.noSuchFileOrDirectory, of: none) {
                try done { try FileRequest.start(.realPath(of: none), on: $0, onDone: $1) }
            }
            expect(.noSuchFileOrDirectory, of: none) {
                try done { try FileRequest.start(.removeFile(none), on: $0, onDone: $1) }
            }
            expect(.isDirectory, of: folder.path) {
                try done { try FileRequest.start(.removeFile(folder.path), on: $0, onDone: $1) }
            }
        }
    }

    @Test("A link to a very long target is read whole")
    func longLink() throws {
        try withFolder { folder in
            let target = String(repeating: "0123456789/", count: 372) + "x"
            try #expect(
                done { try FileRequest.start(.readLink(folder.link("link", to: target)), on: $0, onDone: $1) }
                    == FilePath(target))
        }
    }

    @Test("makeDirectory, removeDirectory, temporary directory and file")
    func directories() throws {
        try withFolder { folder in
            let path = folder("new")
            try done {
                try FileRequest.start(.makeDirectory(path, permissions: .ownerReadWriteExecute), on: $0, onDone: $1)
            }
            let status = try done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }
            #expect(status.kind == .directory && status.permissions == .ownerReadWriteExecute)
            expect(.fileExists, of: path) {
                try done { try FileRequest.start(.makeDirectory(path), on: $0, onDone: $1) }
            }
            expect(.noSuchFileOrDirectory, of: folder("x/y")) {
                try done { try FileRequest.start(.makeDirectory(folder("x/y")), on: $0, onDone: $1) }
            }
            try folder.file("new/file")
            expect(.directoryNotEmpty, of: path) {
                try done { try FileRequest.start(.removeDirectory(path), on: $0, onDone: $1) }
            }
            try done { try FileRequest.start(.removeFile(folder("new/file")), on: $0, onDone: $1) }
            try done { try FileRequest.start(.removeDirectory(path), on: $0, onDone: $1) }
            expect(.noSuchFileOrDirectory, of: path) {
                try done { try FileRequest.start(.removeDirectory(path), on: $0, onDone: $1) }
            }

            let first = try done {
                try FileRequest.start(.makeTemporaryDirectory(prefix: folder("t-")), on: $0, onDone: $1)
            }
            let second = try done {
                try FileRequest.start(.makeTemporaryDirectory(prefix: folder("t-")), on: $0, onDone: $1)
            }
            #expect(first != second && first.string.hasPrefix(folder("t-").string))
            try #expect(
                done { try FileRequest.start(.status(of: first), on: $0, onDone: $1) }.permissions
                    == .ownerReadWriteExecute)
            let temporary = try done {
                try FileRequest.start(.makeTemporaryFile(prefix: folder("f-")), on: $0, onDone: $1)
            }
            #expect(fcntl(temporary.file.rawValue, F_GETFD) & FD_CLOEXEC != 0)
            try #expect(
                done { try FileRequest.start(.status(of: temporary.path), on: $0, onDone: $1) }.permissions
                    == .ownerReadWrite)
            try temporary.file.close()
            expect(.noSuchFileOrDirectory, of: folder("no/t-")) {
                try done { try FileRequest.start(.makeTemporaryDirectory(prefix: folder("no/t-")), on: $0, onDone: $1) }
            }
            expect(.noSuchFileOrDirectory, of: folder("no/t-")) {
                try done { try FileRequest.start(.makeTemporaryFile(prefix: folder("no/t-")), on: $0, onDone: $1) }
            }
        }
    }

    @Test("Lists: names and kinds, sorted; names that are not UTF-8 come back as they are")
    func entries() throws {
        try withFolder { folder in
            try folder.file("file")
            try folder.folder("folder")
            folder.link("link", to: "none")
            folder.fifo("pipe")
            let odd = folder.path.appending(Self.oddName)
            try FileDescriptor.open(odd, .writeOnly, options: .create, permissions: .ownerReadWrite).close()
            let entries = try done { try FileRequest.start(.entries(of: folder.path), on: $0, onDone: $1) }
            #expect(entries.map(\.name) == [Self.oddName, "file", "folder", "link", "pipe"])
            #expect(entries.map(\.kind) == [.regular, .regular, .directory, .symbolicLink, .fifo])
            for entry in entries {
                let status = try done {
                    try FileRequest.start(
                        .status(of: folder.path.appending(entry.name), followingLinks: false), on: $0, onDone: $1)
                }
                #expect(status.kind == entry.kind)
            }
            try done { try FileRequest.start(.rename(odd, to: folder.path.appending("even")), on: $0, onDone: $1) }
            try #expect(folder.names().contains("even"))

            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.entries(of: folder("none")), on: $0, onDone: $1) }
            }
            expect(.notDirectory, of: folder("file")) {
                try done { try FileRequest.start(.entries(of: folder("file")), on: $0, onDone: $1) }
            }
        }
    }

    @Test("Empty paths and NUL are refused before anything starts")
    func refused() throws {
        let loop = try Loop()
        func refuse(_ body: () throws -> Any) { expect(.noSuchFileOrDirectory, of: "an empty path", body) }
        let none: FilePath = ""
        refuse { try FileRequest.start(.open(none, .readOnly), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.rename(none, to: "x"), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.rename("x", to: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.link("x", at: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.symlink(to: none, at: "x"), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.readLink(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.realPath(of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.removeFile(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.makeDirectory(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.removeDirectory(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.makeTemporaryDirectory(prefix: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.makeTemporaryFile(prefix: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.entries(of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.status(of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.status(of: none, followingLinks: false), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.volume(of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.checkAccess(to: none, for: .read), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.setPermissions([], of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.setOwner(FileOwner(), of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.setTimes(accessed: .now, modified: .now, of: none), on: loop) { _, _ in } }
        refuse { try FileRequest.copy(none, to: "x", on: loop) { _, _ in } }
        refuse { try FileRequest.copy("x", to: none, on: loop) { _, _ in } }
        refuse { try TreeRequest.copy("x", to: none, on: loop) { _, _ in } }
        refuse { try TreeRequest.remove(none, on: loop) { _, _ in } }
        refuse { try FileRequest.start(.openDirectory(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.readFile(none), on: loop) { _, _ in } }
        refuse { try FileRequest.start(.writeFile(none, []), on: loop) { _, _ in } }
        #expect(!loop.isAlive)
        try loop.close()

        expect(.invalidArgument, of: "\\0") { try FilePath(validating: "a\0b") }
        expect(.noSuchFileOrDirectory, of: "an empty string") { try FilePath(validating: "") }
        try #expect(FilePath(validating: "a/b") == "a/b")
    }
}
