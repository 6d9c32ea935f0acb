import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FilePollTests {
    /// Writes more and more to a file until the handle has seen a change and is closed: its first look, which tells nothing, comes
    /// when a thread has time for it.
    private func grow(_ name: String, in folder: TestFolder, until poll: FilePollHandle) throws {
        var size = 1
        try TimerHandle(on: poll.loop).start(after: .milliseconds(20), every: .milliseconds(20)) { timer in
            if poll.isClosing { return timer.close() }
            size += 1
            folder.write(name, [UInt8](repeating: 1, count: size))
        }
    }

    @Test("A change is told with what was known before; the first look tells nothing")
    func change() throws {
        try withFolder { folder in
            let path = try folder.file("file", [1])
            var sizes: [Int64?] = []
            try withLoop { loop in
                let poll = try FilePollHandle(on: loop)
                try poll.start(path, every: .milliseconds(1)) { poll, result in
                    let change = try! result.get()
                    sizes += [change.previous?.size, change.current.size]
                    poll.close()
                }
                #expect(poll.isActive && poll.path == path)
                try grow("file", in: folder, until: poll)
            }
            #expect(sizes.count == 2 && sizes[0] != sizes[1] && sizes[0] != nil)
        }
    }

    @Test("A missing file is told once; then it appears, and is gone again")
    func missing() throws {
        try withFolder { folder in
            var log: [String] = []
            try withLoop { loop in
                let poll = try FilePollHandle(on: loop)
                try poll.start(folder("file"), every: .milliseconds(1)) { poll, result in
                    switch result {
                    case .failure(let error):
                        log.append(error.code.name)
                        #expect(error.subject == folder("file").string)
                        if log.count > 1 { return poll.close() }
                        folder.write("file", [1])
                    case .success(let change):
                        // It may be seen empty, and then with its byte.
                        if change.current.size == 0 { return }
                        if log.last != "seen" { log.append("seen") }
                        folder.remove("file")
                    }
                }
            }
            #expect(log == ["ENOENT", "seen", "ENOENT"])
        }
    }

    @Test(
        "Guard: stopped, started and started again while looks are under way: the last start counts",
        arguments: [0, 1, 5])
    func startAgain(_ turns: Int) throws {
        try withFolder { folder in
            try folder.file("one")
            try folder.file("two")
            var sizes: [Int64] = []
            try withLoop { loop in
                let poll = try FilePollHandle(on: loop)
                for round in 0..<20 {
                    try poll.start(folder("one"), every: .milliseconds(1)) { _, _ in Issue.record("an old closure") }
                    for _ in 0..<turns { try loop.run(.noWait) }
                    if round % 2 == 0 {
                        poll.stop()
                        #expect(!poll.isActive && poll.path == nil)
                    }
                }
                try poll.start(folder("two"), every: .milliseconds(1)) { poll, result in
                    sizes.append(try! result.get().current.size)
                    poll.close()
                }
                expectError(.invalidArgument) { try poll.start(folder("one"), every: .zero) { _, _ in } }
                #expect(poll.isActive && poll.path == folder("two"))
                folder.write("one", [1])
                try grow("two", in: folder, until: poll)
            }
            #expect(sizes.count == 1)
        }
    }

    @Test("Guard: closed while a look is under way, and in its own call")
    func close() throws {
        try withFolder { folder in
            var closed = 0
            try withLoop { loop in
                for _ in 0..<50 {
                    let poll = try FilePollHandle(on: loop)
                    try poll.start(folder("none"), every: .milliseconds(1)) { _, _ in Issue.record("called") }
                    poll.close { _ in closed += 1 }
                    #expect(poll.path == nil)
                }
                let poll = try FilePollHandle(on: loop)
                try poll.start(folder("none"), every: .milliseconds(1)) { poll, _ in
                    poll.close { _ in closed += 1 }
                    poll.close()
                }
            }
            #expect(closed == 51)
        }
    }

    @Test("A handle that does not keep the loop alive lets it end, also after a second start")
    func background() throws {
        try withFolder { folder in
            try withLoop { loop in
                let poll = try FilePollHandle(on: loop)
                poll.keepsLoopAlive = false
                for _ in 0..<2 { try poll.start(folder.path, every: .seconds(3_600)) { _, _ in } }
                #expect(!poll.keepsLoopAlive)
                try loop.run()
                poll.close()
            }
        }
    }

    @Test("Intervals that cannot be", arguments: [Duration.zero, .milliseconds(-1), .seconds(1 << 40)])
    func intervals(_ interval: Duration) throws {
        try withLoop { loop in
            let poll = try FilePollHandle(on: loop)
            expect(.invalidArgument, of: "/tmp") { try poll.start("/tmp", every: interval) { _, _ in } }
            poll.stop()
            poll.close()
            expectError(.badFileDescriptor) { try poll.start("/tmp", every: .seconds(1)) { _, _ in } }
        }
    }

    @Test func aPathThatIsLongerThanMostIsGivenBack() throws {
        try withFolder { folder in
            let path = folder(String(repeating: "d/", count: 1_000))
            try withLoop { loop in
                let poll = try FilePollHandle(on: loop)
                try poll.start(path, every: .seconds(1)) { poll, _ in
                    #expect(poll.path == path)
                    poll.close()
                }
            }
        }
    }
}
