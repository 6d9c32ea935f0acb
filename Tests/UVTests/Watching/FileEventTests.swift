import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileEventTests {
    @Test func tellsOfNamesInADirectory() throws {
        try withFolder { folder in
            var log: [String] = []
            try withLoop { loop in
                let handle = try FileEventHandle(on: loop)
                try handle.start(folder.path) { handle, result in
                    let event = try! result.get()
                    log.append("\(event.name?.string ?? "itself") \(event.kinds.rawValue)")
                    if log.count == 1 { return folder.write("one", [1]) }
                    if log.count == 2 { return folder.remove("one") }
                    handle.close()
                }
                #expect(handle.isActive && handle.path == folder.path)
                try folder.file("one")
                #expect(log.isEmpty)
            }
            // The file gets its permissions in the same turn in which it is made.
            #expect(log == ["one 3", "one 2", "one 1"])
        }
    }

    @Test("A file's own changes have no name; a file of the directory's name has one")
    func itself() throws {
        try withFolder { folder in
            let inner = try folder.folder("same")
            let file = try folder.file("file")
            var names: [String?] = []
            try withLoop { loop in
                let watch = try FileEventHandle(on: loop)
                try watch.start(inner) { watch, result in
                    names.append(try! result.get().name?.string)
                    if names.count == 1 { return folder.setMode(0o755, of: "same") }
                    watch.close()
                }
                try folder.file("same/same")
                let other = try FileEventHandle(on: loop)
                try other.start(file) { other, result in
                    #expect(try! result.get() == FileEventHandle.Event(name: nil, kinds: .changed))
                    other.close()
                }
                folder.write("file", [1])
            }
            #expect(names == ["same", nil])
        }
    }

    @Test("Guard: two handles on one file have each their own path; one may close the other")
    func theSameFileTwice() throws {
        try withFolder { folder in
            let path = try folder.file("first")
            try FileManager.default.linkItem(atPath: path.string, toPath: folder("second").string)
            var calls: [FilePath?] = []
            try withLoop { loop in
                let first = try FileEventHandle(on: loop)
                let second = try FileEventHandle(on: loop)
                for (handle, other, name) in [(first, second, "first"), (second, first, "second")] {
                    try handle.start(folder(name)) { handle, _ in
                        calls.append(handle.path)
                        other.close()
                        handle.close()
                    }
                    #expect(handle.path == folder(name))
                }
                folder.write("first", [1])
            }
            #expect(calls == [folder("first")])
        }
    }

    @Test("Guard: a second start replaces the first; a refused one leaves it")
    func startAgain() throws {
        try withFolder { folder in
            try folder.folder("one")
            try folder.folder("two")
            var names: [String?] = []
            try withLoop { loop in
                let handle = try FileEventHandle(on: loop)
                try handle.start(folder("one")) { _, _ in Issue.record("the old closure") }
                try folder.file("one/early")
                try handle.start(folder("two")) { handle, result in
                    names.append(try! result.get().name?.string)
                    handle.close()
                }
                expect(.noSuchFileOrDirectory, of: folder("none")) {
                    try handle.start(folder("none")) { _, _ in Issue.record("called") }
                }
                #expect(handle.path == folder("two"))
                try folder.file("one/late")
                try folder.file("two/file")
            }
            #expect(names == ["file"])
        }
    }

    @Test("Guard: a closure that changes what it watches does not keep the loop")
    func feedback() throws {
        try withFolder { folder in
            var calls = 0
            try withLoop { loop in
                let handle = try FileEventHandle(on: loop)
                try handle.start(folder.path) { _, _ in
                    calls += 1
                    folder.write("file", [1])
                }
                try folder.file("file")
                // It would not be called if the events of one turn had no end.
                try TimerHandle(on: loop).start(after: .zero, every: .milliseconds(1)) { timer in
                    if calls < 5 { return }
                    timer.close()
                    handle.close()
                }
            }
            #expect(calls >= 5)
        }
    }

    @Test("What is stopped or closed in a call hears of nothing that was to follow")
    func stop() throws {
        try withFolder { folder in
            for closes in [false, true] {
                var calls = 0
                try withLoop { loop in
                    let handle = try FileEventHandle(on: loop)
                    try handle.start(folder.path) { handle, _ in
                        calls += 1
                        if closes { return handle.close() }
                        handle.stop()
                        handle.stop()
                        #expect(!handle.isActive && handle.path == nil)
                    }
                    for name in ["one", "two", "three"] { try folder.file("\(closes)-\(name)") }
                    try loop.run()
                    if !closes { handle.close() }
                    #expect(handle.path == nil)
                }
                #expect(calls == 1)
            }
        }
    }

    @Test func errors() throws {
        try withLoop { loop in
            let handle = try FileEventHandle(on: loop)
            #expect(!handle.isActive && handle.path == nil)
            expectError(.noSuchFileOrDirectory) { try handle.start("") { _, _ in } }
            handle.close()
            expectError(.badFileDescriptor) { try handle.start("/tmp") { _, _ in } }
            handle.stop()
        }
    }

    @Test("A limit of the system is named, with its value and the path")
    func limits() throws {
        try withFolder { folder in
            let path = try folder.folder("full.refuse-\(ENOSPC)")
            try withLoop { loop in
                let handle = try FileEventHandle(on: loop)
                expect(.noSpace, of: path) { try handle.start(path) { _, _ in } }
                expect(.noSpace, of: "fs.inotify.max_user_watches = ") { try handle.start(path) { _, _ in } }
                handle.close()
            }
        }
    }

    @Test("A process without free descriptors is told so")
    func noDescriptors() async {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            try synchronously {
                let loop = try Loop()
                let handle = try FileEventHandle(on: loop)
                forbidDescriptors()
                expect(.tooManyOpenFiles, of: "/tmp: ") { try handle.start("/tmp") { _, _ in } }
                expect(.tooManyOpenFiles, of: "fs.inotify.max_user_instances") {
                    try TreeWatcher(at: "/tmp", on: loop) { _, _ in }
                }
                limitDescriptors(to: 1_000)
                try loop.closeAllHandles()
                try loop.run()
                try loop.close()
            }
        }
    }
}

extension TestFolder {
    /// Writes over a file, or makes one.
    func write(_ name: String, _ bytes: [UInt8]) {
        let file = try? FileDescriptor.open(
            self(name), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        #expect(throws: Never.self) { _ = try #require(file).closeAfter { try file?.writeAll(bytes) } }
    }

    /// Writes a byte to each of two files, so many times. The system tells each of these changes, because equal ones that follow
    /// each other would be one.
    func writeByTurns(_ name: String, _ other: String, _ count: Int) {
        #expect(throws: Never.self) {
            let files = try [name, other].map { try FileDescriptor.open(self($0), .writeOnly) }
            for _ in 0..<count { for file in files { try file.writeAll([1]) } }
            for file in files { try file.close() }
        }
    }

    /// Removes a file or an empty directory.
    func remove(_ name: String) { #expect(systemRemove(self(name).string) == 0) }

    func rename(_ name: String, to new: String) {
        #expect(systemRename(self(name).string, self(new).string) == 0)
    }
}

func systemRename(_ path: String, _ new: String) -> CInt { unsafe rename(path, new) }

func systemRemove(_ path: String) -> CInt { unsafe remove(path) }
