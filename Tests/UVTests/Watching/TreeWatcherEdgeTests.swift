import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What a watch is asked to leave out, and how it ends.
@Suite(.ownThread) struct TreeWatcherEdgeTests {
    /// Runs a watch to its end and returns all that it told.
    private func events(
        at path: FilePath, _ options: TreeWatcher.Options = .init(), upToChange isLast: Bool = false,
        _ act: @escaping (TreeWatcher) throws -> Void = { _ in }
    ) throws -> [String] {
        var log: [String] = []
        try withLoop { loop in
            _ = try TreeWatcher(at: path, options: options, on: loop) { watcher, event in
                switch event {
                case .ready:
                    log.append("ready")
                    #expect(throws: Never.self) { try act(watcher) }
                case .changes(let changes):
                    log += changes.map(\.description)
                    if isLast { watcher.close() }
                case .problem(let error): log.append("problem \(error.code.name)")
                case .ended(let error): log.append("ended \(error?.description ?? "")")
                }
            }
            #expect(log.isEmpty, "never before the watcher has been returned")
        }
        return log
    }

    @Test("Symbolic links are not followed, but for the path itself")
    func links() throws {
        try withFolder { folder in
            try folder.folder("real/inner")
            try folder.folder("other")
            folder.link("real/link", to: "../other")
            folder.link("way", to: "real")
            let told = try changes(in: folder, at: folder("way"), mark: "real/end") { watcher in
                #expect(watcher.watchCount == 2)
                try folder.file("other/unseen")
                folder.link("real/second", to: "../other")
                try folder.file("other/unseen-too")
                try folder.file("real/inner/file")
            }
            #expect(told.texts(in: folder) == ["created way/second", "created way/inner/file"])
        }
    }

    @Test("What is ignored is not told and takes no watch")
    func ignoring() throws {
        try withFolder { folder in
            try folder.folder("node_modules/deep/deeper")
            try folder.folder("src")
            var options = TreeWatcher.Options()
            options.ignoring = { $0.lastComponent?.string == "node_modules" || $0.extension == "log" }
            let told = try changes(in: folder, options) { watcher in
                #expect(watcher.watchCount == 2)
                try folder.file("node_modules/file")
                try folder.file("a.log")
                try folder.folder("src/node_modules/x")
                folder.rename("a.log", to: "src/a")
                folder.rename("src/a", to: "src/b.log")
                try folder.file("src/c")
            }
            #expect(told.texts(in: folder) == ["created src/c"])
        }
    }

    @Test("Metadata are told if they are asked for", arguments: [false, true])
    func metadata(_ isAsked: Bool) throws {
        try withFolder { folder in
            try folder.file("file")
            var options = TreeWatcher.Options()
            options.includesMetadata = isAsked
            let told = try changes(in: folder, options) { _ in
                folder.setMode(0o600, of: "file"); folder.setMode(0o644, of: "file")
            }
            #expect(told.texts(in: folder) == (isAsked ? ["metadata of file"] : []))
        }
    }

    @Test func notRecursive() throws {
        try withFolder { folder in
            try folder.folder("inner")
            var options = TreeWatcher.Options()
            options.isRecursive = false
            let told = try changes(in: folder, options) { watcher in
                #expect(watcher.watchCount == 1)
                try folder.file("inner/file")
                try folder.folder("new/deep")
                folder.rename("inner", to: "other")
            }
            #expect(told.texts(in: folder) == ["created new/", "renamed other/ from inner"])
        }
    }

    @Test("A file is watched by its path: saved by an editor, removed, made again; its neighbours do not count")
    func oneFile() throws {
        try withFolder { folder in
            let path = try folder.file("file", [1])
            var told: [FileChange.Kind] = []
            try withLoop { loop in
                _ = try TreeWatcher(at: path, on: loop) { watcher, event in
                    switch event {
                    case .ready: folder.write("file", [2])
                    case .changes(let changes):
                        #expect(changes.count == 1 && changes[0].path == path && !changes[0].isDirectory)
                        told += changes.map(\.kind)
                        switch told.count {
                        case 1:
                            folder.write("neighbour", [1])
                            folder.write("file.tmp", [3])
                            folder.rename("file.tmp", to: "file")
                        case 2: folder.remove("file")
                        case 3: folder.write("file", [4])
                        case 4: folder.rename("file", to: "other")
                        case 5: folder.rename("other", to: "file")
                        default: watcher.close()
                        }
                    default: Issue.record("\(event)")
                    }
                }
            }
            #expect(told == [.modified, .modified, .removed, .created, .removed, .created])
        }
    }

    @Test("When what is watched is removed or gets another name, the watch says so and ends", arguments: [true, false])
    func gone(_ isRemoved: Bool) throws {
        try withFolder { folder in
            let path = try folder.folder("watched")
            try folder.file("watched/file")
            let log = try events(at: path) { _ in
                if isRemoved {
                    try FileManager.default.removeItem(atPath: path.string)
                } else {
                    folder.rename("watched", to: "x")
                }
            }
            #expect(log.first == "ready" && log.suffix(2) == ["removed \(path)/", "ended "])
            #expect(log.count == (isRemoved ? 4 : 3))
        }
    }

    @Test("A path that is not there, or not to be reached, is the last event")
    func notThere() throws {
        try withFolder { folder in
            let path = folder("none")
            #expect(try events(at: path) == ["ended no such file or directory (ENOENT) in watch of \(path)"])
            try folder.file("file")
            let below = folder("file/below")
            #expect(try events(at: below) == ["ended not a directory (ENOTDIR) in watch of \(below)"])
        }
        try withLoop { loop in
            expectError(.noSuchFileOrDirectory) { try TreeWatcher(at: "", on: loop) { _, _ in } }
            var options = TreeWatcher.Options()
            options.debounce = .milliseconds(-1)
            expectError(.invalidArgument) { try TreeWatcher(at: "/tmp", options: options, on: loop) { _, _ in } }
            options = .init()
            options.limit = 0
            expectError(.invalidArgument) { try TreeWatcher(at: "/tmp", options: options, on: loop) { _, _ in } }
        }
    }

    @Test("A directory that may not be watched is a problem, and the watch goes on")
    func permissions() throws {
        try withFolder { folder in
            let name = "secret.refuse-\(EACCES)"
            try folder.folder("\(name)/inner")
            try folder.folder("open")
            let log = try events(at: folder.path, upToChange: true) { _ in try folder.file("open/file") }
            #expect(log == ["ready", "problem EACCES", "created \(folder("open/file"))"])
        }
    }

    #if os(Linux)
    @Test("The same with real permissions, of a directory that may be watched but not read as well")
    func realPermissions() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                try folder.folder("secret/inner")
                folder.setMode(0o700, of: "secret")
                folder.setMode(0o755)
                var problems: [String] = []
                var told: [FileChange] = []
                try asNobody {
                    let loop = try Loop()
                    _ = try TreeWatcher(at: folder.path, on: loop) { watcher, event in
                        switch event {
                        case .ready: break
                        case .problem(let error):
                            problems.append(error.description)
                            #expect(seteuid(0) == 0)
                            folder.write("file", [])
                            #expect(seteuid(65_534) == 0)
                        case .changes(let changes):
                            told += changes
                            watcher.close()
                        case .ended: Issue.record("ended")
                        }
                    }
                    try loop.run()
                }
                #expect(problems == ["permission denied (EACCES) in watch of \(folder("secret"))"])
                #expect(told.texts(in: folder) == ["created file"])
            }
        }
    }
    #endif

    @Test(
        "The system's limit of watches ends the watch with its name, at the start and later", arguments: [true, false])
    func watchLimit(_ isLater: Bool) throws {
        try withFolder { folder in
            let name = "full.refuse-\(ENOSPC)"
            if !isLater { try folder.folder(name) }
            let log = try events(at: folder.path) { _ in try folder.folder(name) }
            #expect(log.count == (isLater ? 2 : 1))
            let last = try #require(log.last)
            #expect(last.hasPrefix("ended no space left on device (ENOSPC) in watch of \(folder(name)): "))
            #expect(last.contains("fs.inotify.max_user_watches = "))
        }
    }

    @Test("K3: closed before everything is watched, in each event, and twice")
    func close() throws {
        try withFolder { folder in
            for number in 0..<100 { try folder.folder("\(number)") }
            try withLoop { loop in
                let early = try TreeWatcher(at: folder.path, on: loop) { _, _ in Issue.record("called") }
                early.close()
                early.close()
                _ = try TreeWatcher(at: folder.path, on: loop) { watcher, _ in
                    watcher.close()
                    watcher.close()
                }
                var calls = 0
                _ = try TreeWatcher(at: folder.path, on: loop) { watcher, event in
                    calls += 1
                    if case .ready = event { return folder.write("file", []) }
                    watcher.close()
                }
                try loop.run()
                #expect(calls == 2)
            }
        }
    }

    @Test("No descriptor is left, whenever a watch is closed") func descriptors() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                try withFolder { folder in
                    for number in 0..<20 { try folder.folder("\(number)/deep") }
                    let loop = try Loop()
                    // libuv's own for events lives as long as the loop.
                    let events = try FileEventHandle(on: loop)
                    try events.start(folder.path) { _, _ in }
                    events.close()
                    try loop.run()
                    let before = countDescriptors()
                    for number in 0..<50 {
                        let watcher = try TreeWatcher(at: folder.path, on: loop) { watcher, _ in watcher.close() }
                        if number % 2 == 0 { watcher.close() }
                        if number % 5 == 0 { try loop.run() }
                    }
                    try loop.run()
                    let after = countDescriptors()
                    if after != before { fatalError("\(before) descriptors before, \(after) after") }
                    try loop.close()
                }
            }
        }
    }

    @Test("K1: a loop that ends all its handles ends the watch with an error")
    func loopEnds() throws {
        try withFolder { folder in
            var log: [String] = []
            try withLoop { loop in
                for _ in 0..<2 {
                    _ = try TreeWatcher(at: folder.path, on: loop) { watcher, event in
                        guard case .ended(let error) = event else { return }
                        log.append(error?.code.name ?? "")
                    }
                    try loop.run(.noWait)
                }
                #expect(loop.handles.map(\.label) == ["watch of \(folder.path)", "watch of \(folder.path)"])
                try loop.closeAllHandles()
                try loop.run()
            }
            #expect(log == ["ECANCELED", "ECANCELED"])
        }
    }

    @Test("A watcher in the background lets the loop end") func background() throws {
        try withFolder { folder in
            try withLoop { loop in
                let watcher = try TreeWatcher(at: folder.path, on: loop) { _, _ in }
                watcher.keepsLoopAlive = false
                try loop.run()
                #expect(watcher.watchCount == 1 && !watcher.keepsLoopAlive)
                watcher.close()
            }
        }
    }

    @Test("With no debounce changes come at once, one call for each; with one they wait for quiet")
    func debounce() throws {
        try withFolder { folder in
            for isQuick in [true, false] {
                var options = TreeWatcher.Options()
                options.debounce = isQuick ? .zero : .milliseconds(30)
                var calls: [[String]] = []
                var start = Duration.zero
                try withLoop { loop in
                    _ = try TreeWatcher(at: folder.path, options: options, on: loop) { watcher, event in
                        switch event {
                        case .ready:
                            start = Loop.hrtime
                            var number = 0
                            try! TimerHandle(on: loop).start(after: .milliseconds(3), every: .milliseconds(3)) {
                                timer in
                                folder.write("\(isQuick)", [UInt8](repeating: 1, count: number))
                                number += 1
                                if number == 5 { timer.close() }
                            }
                        case .changes(let changes):
                            calls.append(changes.texts(in: folder))
                            // The last write has five bytes less one.
                            if try! content(of: folder("\(isQuick)")).count == 4 { watcher.close() }
                        default: Issue.record("\(event)")
                        }
                    }
                }
                if isQuick {
                    #expect(calls.count > 1 && calls.first?.first == "created true")
                } else {
                    #expect(calls.last?.count == 1)
                    #expect(Loop.hrtime - start >= .milliseconds(30))
                }
            }
        }
    }

    @Test("Changes without an end are told every ten times the debounce, at the latest")
    func neverQuiet() throws {
        try withFolder { folder in
            var options = TreeWatcher.Options()
            options.debounce = .milliseconds(20)
            var calls = 0
            try withLoop { loop in
                _ = try TreeWatcher(at: folder.path, options: options, on: loop) { watcher, event in
                    switch event {
                    case .ready:
                        try! TimerHandle(on: loop).start(after: .zero, every: .milliseconds(1)) { timer in
                            if calls == 2 { return timer.close() }
                            folder.write("log", [1])
                        }
                    case .changes:
                        calls += 1
                        if calls == 2 { watcher.close() }
                    default: Issue.record("\(event)")
                    }
                }
            }
            #expect(calls == 2)
        }
    }
}
