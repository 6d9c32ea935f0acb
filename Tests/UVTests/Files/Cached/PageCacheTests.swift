import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// What the page cache gives must be what the pool gives.
@Suite(.ownThread, .serialized) struct PageCacheTests {
    static func with<Value>(cache isEnabled: Bool, _ body: () throws -> Value) rethrows -> Value {
        let before = PageCache.isEnabled
        PageCache.isEnabled = isEnabled
        defer { PageCache.isEnabled = before }
        return try body()
    }

    /// As AsyncUV reads: the cache first, then the pool.
    func read(_ file: FileDescriptor, upTo limit: Int, at offset: Int64) throws -> [UInt8] {
        try done { loop, onDone in
            switch try PageCache.read(from: file, upTo: limit, at: offset, on: loop) {
            case .found(let bytes):
                // Just to have a request.
                return try FileRequest.read(from: file, upTo: 0, at: 0, on: loop) {
                    onDone($0, .success(bytes)); _ = $1
                }
            case .notCached, .unsupported:
                return try FileRequest.read(from: file, upTo: limit, at: offset, on: loop, onDone: onDone)
            }
        }
    }

    @Test("On and off, the bytes and errors are the same", arguments: [true, false])
    func same(_ isEnabled: Bool) throws {
        try withFolder { folder in
            try Self.with(cache: isEnabled) {
                let bytes = pattern(count: 100_000)
                try folder.opened(folder.file("file", bytes)) { file in
                    try #expect(read(file, upTo: 10_000, at: 0) == bytes[..<10_000])
                    try #expect(read(file, upTo: 10_000, at: 99_000) == bytes[99_000...])
                    try #expect(read(file, upTo: 10_000, at: 100_000).isEmpty)
                    try #expect(read(file, upTo: 10_000, at: 1 << 40).isEmpty)
                    try #expect(read(file, upTo: 0, at: 0).isEmpty)
                    try #expect(areEqual(read(file, upTo: .max, at: 0), bytes))
                    expect(.invalidArgument, of: "offset -1") { try read(file, upTo: 1, at: -1) }
                    expect(.invalidArgument, of: "count -1") { try read(file, upTo: -1, at: 0) }
                }
                try folder.opened(folder.file("empty")) { file in try #expect(read(file, upTo: 10, at: 0).isEmpty) }
                try folder.opened(folder.path) { directory in
                    expect(.isDirectory, of: "descriptor \(directory.rawValue)") { try read(directory, upTo: 1, at: 0) }
                }
                try folder.opened("/proc/self/status") { file in
                    let text = try String(decoding: read(file, upTo: 100_000, at: 0), as: UTF8.self)
                    #expect(text.contains("VmRSS"))
                }
                try folder.opened("/dev/zero") { file in
                    let bytes = try read(file, upTo: 100, at: 0)
                    #expect(bytes.allSatisfy { $0 == 0 } && !bytes.isEmpty)
                }
            }
        }
    }

    @Test("Whole files: the cache gives all of a regular file or nothing", arguments: [true, false])
    func wholeFiles(_ isEnabled: Bool) throws {
        try withFolder { folder in
            try Self.with(cache: isEnabled) {
                let bytes = pattern(count: 5_000)
                let path = try folder.file("file", bytes)
                try withLoop { loop in
                    let found = PageCache.readFile(path, limit: 5_000, on: loop)
                    #expect(found == nil || found == bytes)
                    #expect(PageCache.readFile(path, limit: 4_999, on: loop) == nil)
                    #expect(PageCache.readFile(folder("none"), limit: 10, on: loop) == nil)
                    #expect(PageCache.readFile(folder.path, limit: 10, on: loop) == nil)
                    #expect(PageCache.readFile(folder.fifo("fifo"), limit: 10, on: loop) == nil)
                    #expect(PageCache.readFile("/proc/self/status", limit: 1 << 20, on: loop) == nil)
                    let empty = try folder.file("empty")
                    #expect(PageCache.readFile(empty, limit: 10, on: loop) == nil)
                }
                try #expect(done { try FileRequest.start(.readFile(path), on: $0, onDone: $1) } == bytes)
                try #expect(done { try FileRequest.start(.readFile(folder("empty")), on: $0, onDone: $1) }.isEmpty)
                try #expect(
                    done { try FileRequest.start(.readFile("/proc/self/status"), on: $0, onDone: $1) }.count > 100)
                expect(.fileTooLarge, of: path) {
                    try done { try FileRequest.start(.readFile(path, limit: 4_999), on: $0, onDone: $1) }
                }
                expect(.isDirectory, of: folder.path) {
                    try done { try FileRequest.start(.readFile(folder.path), on: $0, onDone: $1) }
                }
            }
        }
    }

    #if os(Linux)
    @Test(
        "A file just written is found in memory, and counted",
        .enabled(if: isModuleAlone, "counts for the whole process"))
    func hits() throws {
        try withFolder { folder in
            let bytes = pattern(count: 10_000)
            let path = try folder.file("file", bytes)
            try folder.opened(path) { file in
                try withLoop { loop in
                    let before = PageCache.counters
                    guard case .found(let found) = try PageCache.read(from: file, upTo: 10_000, at: 0, on: loop) else {
                        // Not all file systems can tell.
                        return
                    }
                    #expect(found == bytes)
                    #expect(PageCache.counters.hits > before.hits)
                    var own = [UInt8](repeating: 0, count: 20_000)
                    guard case .found(let count) = try PageCache.read(into: &own, from: file, at: 0, on: loop) else {
                        Issue.record("not cached any more")
                        return
                    }
                    #expect(count == 10_000 && own[..<count] == bytes[...])
                }
                // The pool finds out what volume it is; until then it is not read on the loop.
                try #expect(done { try FileRequest.start(.readFile(path), on: $0, onDone: $1) } == bytes)
                try withLoop { #expect(PageCache.readFile(path, limit: 1 << 20, on: $0) == bytes) }
                try Self.with(cache: false) {
                    try withLoop { loop in
                        let before = PageCache.counters
                        guard case .notCached = try PageCache.read(from: file, upTo: 10_000, at: 0, on: loop) else {
                            Issue.record("found though it is off")
                            return
                        }
                        #expect(PageCache.counters.hits == before.hits && PageCache.counters.misses == before.misses)
                    }
                }
            }
        }
    }

    @Test("What would be more than 4 MiB in a turn is for the pool, what is less is not; a whole file of 4 MiB is read")
    func budgetOfLargeReads() throws {
        try withFolder { folder in
            let bytes = pattern(count: 4 << 20)
            let path = try folder.file("file", bytes)
            _ = try done { try FileRequest.start(.readFile(path), on: $0, onDone: $1) }
            try folder.opened(path) { file in
                func isFound(_ count: Int, on loop: Loop) -> Bool {
                    if case .found = try! PageCache.read(from: file, upTo: count, at: 0, on: loop) {
                        true
                    } else {
                        false
                    }
                }
                var found: [Bool] = []
                try withLoop { loop in
                    guard isFound(1, on: loop) else { return }
                    try TimerHandle(on: loop).start(after: .milliseconds(5), every: .milliseconds(5)) { timer in
                        if found.isEmpty {
                            found = [3 << 20, 2 << 20, 1 << 20, 1].map { isFound($0, on: loop) }
                        } else {
                            #expect(areEqual(PageCache.readFile(path, limit: .max, on: loop) ?? [], bytes))
                            timer.close()
                        }
                    }
                }
                if !found.isEmpty { #expect(found == [true, false, true, false]) }
            }
        }
    }

    @Test("Nothing is opened on the loop of a volume that the pool has not read from yet, which may be a server's")
    func unknownVolumes() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let bytes = pattern(count: 100)
                let path = try folder.file("file", bytes)
                try withLoop { #expect(PageCache.readFile(path, limit: 100, on: $0) == nil) }
                try #expect(
                    done { try FileRequest.start(.readFile("/proc/self/status"), on: $0, onDone: $1) }.count > 100)
                try withLoop { #expect(PageCache.readFile(path, limit: 100, on: $0) == nil) }
                try #expect(done { try FileRequest.start(.readFile(path), on: $0, onDone: $1) } == bytes)
                try withLoop { loop in
                    let found = PageCache.readFile(path, limit: 100, on: loop)
                    // Not all file systems can tell.
                    #expect(found == nil || found == bytes)
                }
            }
        }
    }

    @Test("A turn reads 4 MiB at most, the next one may again")
    func budget() throws {
        try withFolder { folder in
            try folder.opened(folder.file("file", [UInt8](repeating: 1, count: 65_536))) { file in
                var counts: [Int] = []
                try withLoop { loop in
                    let timer = try TimerHandle(on: loop)
                    try timer.start(after: .zero, every: .milliseconds(5)) { timer in
                        var count = 0
                        while count < 1_000,
                            case .found = try! PageCache.read(from: file, upTo: 65_536, at: 0, on: loop)
                        {
                            count += 1
                        }
                        counts.append(count)
                        if counts.count == 3 { timer.close() }
                    }
                }
                if counts.first != 0 { #expect(counts == [64, 64, 64]) }
            }
        }
    }
    #endif
}
