import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TreeWatcherTests {
    @Test func filesAndDirectories() throws {
        try withFolder { folder in
            try folder.file("old")
            try folder.file("gone")
            try folder.folder("empty")
            let told = try changes(in: folder) { watcher in
                #expect(watcher.watchCount == 2 && watcher.path == folder.path)
                try folder.file("new", [1])
                folder.write("old", [1])
                folder.remove("gone")
                folder.remove("empty")
                try folder.folder("folder")
            }
            #expect(
                told.texts(in: folder) == [
                    "created new", "modified old", "removed gone", "removed empty/", "created folder/",
                ])
        }
    }

    @Test("Renamings come with both paths, and what is in a directory moves with it")
    func renamings() throws {
        try withFolder { folder in
            try folder.file("one")
            try folder.folder("folder/inner")
            try folder.file("folder/inner/file")
            let told = try changes(in: folder) { _ in
                folder.rename("one", to: "two")
                folder.rename("two", to: "three")
                folder.rename("folder", to: "other")
                folder.write("other/inner/file", [1])
                try folder.file("other/inner/new")
                folder.rename("other/inner/new", to: "moved")
            }
            #expect(
                told.texts(in: folder) == [
                    "renamed three from one", "renamed other/ from folder", "modified other/inner/file",
                    "created moved",
                ])
        }
    }

    @Test("Two names that are exchanged in one step, and what is written to them later")
    func exchanges() throws {
        try withFolder { folder in
            for name in ["f", "g"] { try folder.file(name) }
            for name in ["a/one", "b/two"] { try folder.folder(name) }
            var known = KnownTree(readFrom: folder.path)
            let told = try changes(in: folder) { _ in
                for (one, other) in [("f", "g"), ("a", "b")] {
                    let (one, other) = (folder.path.appending(one).string, folder.path.appending(other).string)
                    #expect(unsafe cfaults_exchange(one, other) == 0)
                }
                try folder.file("b/new")
                folder.rename("g", to: "h")
            }
            for change in told { known.apply(change) }
            folder.remove("end")
            #expect(known.difference(from: KnownTree(readFrom: folder.path)) == [])
        }
    }

    @Test("A directory that moves in is told with its content; one that moves out is one change, and silent")
    func inAndOut() throws {
        try withFolder { elsewhere in
            try withFolder { folder in
                try elsewhere.folder("in/deep")
                try elsewhere.file("in/deep/file")
                try folder.folder("out/deep")
                try folder.file("out/deep/file")
                try folder.file("lost")
                let told = try changes(in: folder) { _ in
                    try FileManager.default.moveItem(atPath: elsewhere("in").string, toPath: folder("in").string)
                    #expect(systemRename(folder("out").string, elsewhere("out").string) == 0)
                    #expect(systemRename(folder("lost").string, elsewhere("lost").string) == 0)
                    elsewhere.write("out/deep/file", [1])
                    try elsewhere.file("out/deep/other")
                }
                #expect(
                    Set(told.texts(in: folder)) == [
                        "created in/", "created in/deep/", "created in/deep/file", "removed out/", "removed lost",
                    ])
                #expect(told.count == 5)
            }
        }
    }

    @Test("A save by an editor is one change of the file")
    func saves() throws {
        try withFolder { folder in
            for name in ["replaced", "backed-up", "removed", "twice"] { try folder.file(name, [1]) }
            let told = try changes(in: folder) { _ in
                // Most editors, and `writeFile` of this package.
                folder.write("replaced.tmp", [2])
                folder.rename("replaced.tmp", to: "replaced")
                // vim.
                folder.rename("backed-up", to: "backed-up~")
                folder.write("backed-up", [2])
                folder.remove("backed-up~")
                // Those that remove first.
                folder.remove("removed")
                folder.write("removed", [2])
                for _ in 0..<2 {
                    folder.write("twice.tmp", [2])
                    folder.rename("twice.tmp", to: "twice")
                }
                folder.write("new.tmp", [1])
                folder.rename("new.tmp", to: "new")
            }
            #expect(
                told.texts(in: folder) == [
                    "modified replaced", "modified backed-up", "modified removed", "modified twice", "created new",
                ])
        }
    }

    @Test("What is gone again before it is told is nothing; what came back is modified, or as it was")
    func outcomes() throws {
        try withFolder { folder in
            try folder.file("file")
            try folder.file("a")
            try folder.file("b")
            try folder.folder("folder")
            let told = try changes(in: folder) { _ in
                try folder.file("short", [1])
                folder.remove("short")
                folder.rename("file", to: "away")
                folder.rename("away", to: "file")
                folder.rename("a", to: "swap")
                folder.rename("b", to: "a")
                folder.rename("swap", to: "b")
                folder.remove("folder")
                try folder.folder("folder")
            }
            #expect(
                told.texts(in: folder) == ["modified a", "modified b", "removed folder/", "created folder/"])
        }
    }

    @Test("Directories that are made and filled faster than they can be watched: nothing is missed")
    func fast() throws {
        try withFolder { folder in
            let thread = Later()
            var known = KnownTree(readFrom: folder.path)
            let told = try changes(in: folder, mark: "zz") { _ in
                thread.value = PlainThread {
                    for tree in 0..<10 {
                        var path = "tree-\(tree)"
                        for level in 0..<8 {
                            path += "/\(level)"
                            unsafe mkdir(folder("tree-\(tree)").string, 0o755)
                            unsafe mkdir(folder(path).string, 0o755)
                            for file in 0..<4 { folder.write("\(path)/file-\(file)", [1]) }
                        }
                    }
                    folder.write("zz", [])
                }
                try thread.value?.value()
                folder.remove("zz")
            }
            for change in told { known.apply(change) }
            folder.remove("zz")
            #expect(known.difference(from: KnownTree(readFrom: folder.path)) == [])
            #expect(told.count == 10 * (9 + 32) && !told.contains { $0.kind != .created })
        }
    }

    @Test("10,000 files that another thread makes in 100 new directories: none is missed, none is told twice")
    func tenThousand() throws {
        // A sanitizer makes each path dear.
        let directories = isSanitized ? 10 : 100
        try withFolder { folder in
            var created: Set<FilePath> = []
            var count = 0
            try withLoop { loop in
                var thread: PlainThread<Void>?
                _ = try TreeWatcher(at: folder.path, on: loop) { watcher, event in
                    switch event {
                    case .ready:
                        thread = PlainThread {
                            for number in 0..<directories * 100 {
                                let directory = "d\(number / 100)"
                                if number % 100 == 0 { unsafe mkdir(folder(directory).string, 0o755) }
                                folder.write("\(directory)/\(number)", [1])
                            }
                        }
                    case .changes(let changes):
                        for change in changes where change.kind == .created {
                            count += 1
                            created.insert(change.path)
                        }
                        if created.count == directories * 101 { watcher.close() }
                    default: Issue.record("\(event)")
                    }
                }
                try loop.run()
                try thread?.value()
            }
            #expect(count == directories * 101)
        }
    }

    @Test("More changes than the system keeps: told, looked at again, nothing is missed, and the watch goes on")
    func overflow() throws {
        try withFolder { folder in
            for name in ["old", "gone", "left", "right"] { try folder.file(name, [1]) }
            try folder.folder("lost")
            var known = KnownTree(readFrom: folder.path)
            var told: [FileChange] = []
            try withLoop { loop in
                _ = try TreeWatcher(at: folder.path, on: loop) { watcher, event in
                    switch event {
                    case .ready:
                        // The system keeps 16,384 changes; the loop does not read meanwhile, so it hears of none that follow.
                        folder.writeByTurns("left", "right", 8_500)
                        for number in 0..<100 { folder.write("file-\(number)", [1]) }
                        folder.write("old", [1, 2])
                        folder.remove("gone")
                        folder.remove("lost")
                        #expect(throws: Never.self) { try folder.folder("late/deep") }
                        folder.write("late/deep/file", [1])
                    case .changes(let changes):
                        told += changes
                        for change in changes { known.apply(change) }
                        if changes.contains(where: { $0.path == folder("late/deep/end") }) { return watcher.close() }
                        if known.paths[folder("late/deep/file")] != nil { folder.write("late/deep/end", []) }
                    default: Issue.record("\(event)")
                    }
                }
            }
            #expect(told.filter { $0.kind == .overflow } == [FileChange(.overflow, folder.path, isDirectory: true)])
            #expect(known.difference(from: KnownTree(readFrom: folder.path)) == [])
            #expect(told.contains(FileChange(.modified, folder("old"))))
            let created = told.filter { $0.kind == .created }.map(\.path)
            #expect(created.count == 104 && Set(created).count == 104, "none is told twice")
        }
    }

    @Test("More changes than the watcher may keep are one overflow; what comes later is told")
    func limit() throws {
        try withFolder { folder in
            var options = TreeWatcher.Options()
            options.limit = 10
            let told = try changes(in: folder, options, mark: "end-0") { _ in
                for number in 0..<11 { try folder.file("\(number)") }
            }
            #expect(told.first?.kind == .overflow && told.count == 1)
        }
    }

    @Test("A storm of everything by another thread: who hears of it knows the tree", arguments: 0..<6)
    func storm(_ seed: Int) throws {
        try withFolder { folder in
            for name in ["a", "b", "c"] { try folder.folder("\(name)/\(name)/\(name)") }
            var known = KnownTree(readFrom: folder.path)
            var options = TreeWatcher.Options()
            options.debounce = [Duration.zero, .milliseconds(1), .milliseconds(50)][seed % 3]
            try withLoop { loop in
                var thread: PlainThread<Void>?
                _ = try TreeWatcher(at: folder.path, options: options, on: loop) { watcher, event in
                    switch event {
                    case .ready:
                        thread = PlainThread {
                            var random = SeededGenerator(seed: UInt64(seed + 1))
                            for _ in 0..<(isSanitized ? 100 : 500) { doSomething(in: folder, &random) }
                            folder.write("end", [])
                        }
                    case .changes(let changes):
                        for change in changes { known.apply(change) }
                        if changes.contains(where: { $0.path == folder("end") }) { watcher.close() }
                    default: Issue.record("\(event)")
                    }
                }
                try loop.run()
                try thread?.value()
            }
            #expect(known.difference(from: KnownTree(readFrom: folder.path)) == [])
        }
    }
}

/// Does something at random to a small tree; most of it may fail.
private func doSomething(in folder: TestFolder, _ random: inout SeededGenerator) {
    func path() -> String {
        let depth = Int.random(in: 1...4, using: &random)
        return folder((0..<depth).map { _ in ["a", "b", "c"].randomElement(using: &random)! }.joined(separator: "/"))
            .string
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0, 1: unsafe mkdir(path(), 0o755)
    case 2, 3:
        let file = unsafe open(path(), O_WRONLY | O_CREAT, 0o644)
        if file >= 0 { close(file) }
    case 4, 5, 6: _ = unsafe rename(path(), path())
    default:
        let path = path()
        if unsafe unlink(path) != 0 { unsafe rmdir(path) }
    }
}

private final class Later { var value: PlainThread<Void>? }
