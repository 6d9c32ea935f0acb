import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TreeCopyTests {
    @discardableResult
    func copy(_ source: FilePath, to destination: FilePath) throws -> TreeRequest.Progress {
        try done { try TreeRequest.copy(source, to: destination, on: $0, onDone: $1) }
    }

    func status(_ path: FilePath) throws -> FileStatus {
        try done { try FileRequest.start(.status(of: path, followingLinks: false), on: $0, onDone: $1) }
    }

    @Test("Copies files, links as links, FIFOs, odd names; keeps permissions and times")
    func everything() throws {
        try withFolder { folder in
            try folder.folder("from/deep/er")
            try folder.file("from/a", pattern(count: 70_000), [.ownerRead, .otherWrite])
            try folder.file("from/deep/empty")
            try folder.file("from/deep/er/big", pattern(count: 3 << 20))
            folder.link("from/link", to: "deep/er")
            folder.link("from/dangling", to: "/none")
            folder.fifo("from/deep/fifo")
            let odd = folder("from/deep").appending(FileNameTests.oddName)
            try FileDescriptor.open(odd, .writeOnly, options: .create, permissions: .ownerReadWrite).close()
            let time = FileTime(seconds: 1_234_567_890, nanoseconds: 123_456_789)
            for name in ["a", "deep/er/big", "link", "deep/er", "deep"] {
                try done {
                    try FileRequest.start(
                        .setTimes(accessed: time, modified: time, of: folder("from/\(name)"), followingLinks: false),
                        on: $0, onDone: $1)
                }
            }
            try done {
                try FileRequest.start(.setPermissions([.ownerReadExecute], of: folder("from/deep")), on: $0, onDone: $1)
            }

            let result = try copy(folder("from"), to: folder("to"))
            #expect(result.entries == 10 && result.bytes == 70_000 + 3 << 20 && result.path == folder("from"))
            try #expect(areEqual(content(of: folder("to/a")), pattern(count: 70_000)))
            try #expect(areEqual(content(of: folder("to/deep/er/big")), pattern(count: 3 << 20)))
            let names = try FileManager.default.subpathsOfDirectory(atPath: folder("to").string)
            try #expect(
                names.sorted() == FileManager.default.subpathsOfDirectory(atPath: folder("from").string).sorted())
            for name in ["a", "deep", "deep/er", "deep/er/big", "link", "dangling", "deep/fifo", "deep/empty"] {
                let (old, new) = (try status(folder("from/\(name)")), try status(folder("to/\(name)")))
                #expect(old.kind == new.kind && old.permissions == new.permissions, "\(name)")
                #expect(old.modified == new.modified && old.inode != new.inode, "\(name)")
            }
            try #expect(done { try FileRequest.start(.readLink(folder("to/link")), on: $0, onDone: $1) } == "deep/er")
            _ = try status(folder("to/deep").appending(FileNameTests.oddName))
            try done { try TreeRequest.remove(folder("to"), on: $0, onDone: $1) }
            try #expect(folder.names() == ["from"])
        }
    }

    @Test("A file, a link and a FIFO are trees, too")
    func noDirectory() throws {
        try withFolder { folder in
            try folder.file("file", [1, 2])
            folder.link("link", to: "file")
            folder.fifo("fifo")
            for name in ["file", "link", "fifo"] {
                let result = try copy(folder(name), to: folder("\(name) 2"))
                #expect(result.entries == 1 && result.path == folder(name))
                try #expect(status(folder("\(name) 2")).kind == status(folder(name)).kind)
                try #expect(status(folder("\(name) 2")).modified == status(folder(name)).modified)
            }
            try #expect(content(of: folder("file 2")) == [1, 2])
        }
    }

    @Test("The errors: nothing is written over, no copy into itself, sockets are not copied; with the path")
    func errors() throws {
        try withFolder { folder in
            try folder.folder("from/below")
            try folder.file("from/file", [1])
            try folder.file("file", [9])
            folder.link("link", to: "none")
            for name in ["from", "file", "link"] {
                expect(.fileExists, of: folder(name)) { try copy(folder("from"), to: folder(name)) }
                expect(.fileExists, of: folder(name)) { try copy(folder("from/file"), to: folder(name)) }
            }
            try #expect(content(of: folder("file")) == [9])
            folder.link("door", to: "from/below")
            for name in ["from/new", "from/below/new", "door/new", "from/below/../new"] {
                expect(.invalidArgument, of: "into itself: \(folder(name))") {
                    try copy(folder("from"), to: folder(name))
                }
            }
            try #expect(folder.names("from") == ["below", "file"] && folder.names("from/below") == [])
            expect(.noSuchFileOrDirectory, of: folder("none")) { try copy(folder("none"), to: folder("to")) }
            expect(.noSuchFileOrDirectory, of: folder("no/to")) { try copy(folder("from"), to: folder("no/to")) }
            expect(.noSuchFileOrDirectory, of: folder("no/to")) { try copy(folder("file"), to: folder("no/to")) }
            expect(.notSupported, of: "/dev/null") { try copy("/dev/null", to: folder("to")) }
            try copy(folder("from"), to: folder("neighbor"))
            try copy(folder("from/below"), to: folder("from/sibling"))

            let listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let path = folder("from/below/socket")
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.string.utf8) }
            let bound = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(bound == 0)
            expect(.notSupported, of: path) { try copy(folder("from"), to: folder("to")) }
            try done { try TreeRequest.remove(path, on: $0, onDone: $1) }
        }
    }

    @Test("Progress between the trips to the pool; canceled at any of them, what is there is complete")
    func progressAndCancel() throws {
        try withFolder { folder in
            let bytes = pattern(count: 1_000)
            for index in 0..<1_500 {
                if index % 100 == 0 { try folder.folder("from/\(index / 100)") }
                try folder.file("from/\(index / 100)/\(index)", bytes)
            }
            try folder.file("from/big", pattern(count: 40 << 20))
            var seen: [TreeRequest.Progress] = []
            var result: Result<TreeRequest.Progress, UVError>?
            try withLoop { loop in
                try TreeRequest.copy(folder("from"), to: folder("to"), on: loop) { _, progress in
                    #expect(result == nil)
                    seen.append(progress)
                } onDone: {
                    result = $1
                }
            }
            let total = try #require(result).get()
            #expect(total.entries == 1_517 && total.bytes == 1_500_000 + 40 << 20 && seen.count >= 5)
            #expect(seen.map(\.bytes) == seen.map(\.bytes).sorted())
            #expect(seen.allSatisfy { $0.path.starts(with: folder("from")) })

            for stop in [0, 1, 3] {
                var count = 0
                let to = folder("to \(stop)")
                try withLoop { loop in
                    let request = try TreeRequest.copy(folder("from"), to: to, on: loop) { request, _ in
                        count += 1
                        if count == stop { try! request.cancel() }
                    } onDone: {
                        result = $1
                    }
                    if stop == 0 { try request.cancel() }
                }
                #expect(count == stop)
                expectError(.canceled) { try result?.get() }
                guard FileManager.default.fileExists(atPath: to.string) else { continue }
                for name in try FileManager.default.subpathsOfDirectory(atPath: to.string) {
                    let (old, new) = (try status(folder("from/\(name)")), try status(to.appending(name)))
                    if old.kind == .regular { #expect(old.size == new.size, "\(name)") }
                }
            }
        }
    }

    @Test("A tree 2,000 levels deep, within few descriptors: copied and removed")
    func deep() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let names = try TreeRemovalTests.makeDeepTree(folder("from"), levels: 2_000)
                // 64 for the tree, and some for Dispatch, which ends a process that has none left for it.
                limitDescriptors(to: lowestFreeDescriptor() + 160)
                let copied = try done { try TreeRequest.copy(folder("from"), to: folder("to"), on: $0, onDone: $1) }
                #expect(copied.entries == names)
                for name in ["from", "to"] {
                    let removed = try done { try TreeRequest.remove(folder(name), on: $0, onDone: $1) }
                    #expect(removed.entries == names)
                }
                try #expect(folder.names() == [])
            }
        }
    }
}
