#if os(Linux)
import AsyncUV
import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    /// Reads for which memory has nothing, or not all.
    @Suite struct Misses {
        @Test("What is not in memory is read by the pool: the same bytes, and a miss is counted", arguments: 0..<3)
        func misses(way: Int) throws {
            try inFolder(.on) { loop, folder in
                let content = pattern(1 << 20)
                let path = folder.appending("file")
                try path.put(content)
                let file = try await File.open(path)
                // So that it is known what the volume can do.
                _ = try await FileSystem.readFile(path)
                let (before, trips) = (FileSystem.cacheCounters, ThreadPool.statistics.finished)
                cfaults_forget_cached(1)
                try await Self.check(way, file, path, content)
                cfaults_forget_cached(0)
                let after = FileSystem.cacheCounters
                if isModuleAlone {
                    #expect(after.misses - before.misses == 1 && after.hits == before.hits)
                    #expect(ThreadPool.statistics.finished - trips == 1)
                }
                try await file.close()
            }
        }

        /// Reads in one of three ways.
        static func check(_ way: Int, _ file: File, _ path: FilePath, _ content: [UInt8]) async throws {
            switch way {
            case 0: #expect(try await file.read(upTo: 4_096, at: 8_192) == Array(content[8_192..<12_288]))
            case 1:
                var buffer = [UInt8](repeating: 0, count: 4_096)
                #expect(try await file.read(into: &buffer, at: 8_192) == 4_096)
                #expect(buffer == Array(content[8_192..<12_288]))
            default: #expect(try await FileSystem.readFile(path) == content)
            }
        }

        @Test(
            "Of which memory has a part only, the pool reads all: short reads come at the end only",
            arguments: [0, 1, 100])
        func parts(count: Int) throws {
            try inFolder(.on) { loop, folder in
                let content = pattern(10_000)
                let path = folder.appending("file")
                try path.put(content)
                try await File.withFile(path) { file in
                    cfaults_shorten_cached(count)
                    defer { cfaults_shorten_cached(.max) }
                    #expect(try await file.read(upTo: 4_096, at: 8_000) == Array(content[8_000...]))
                    #expect(try await file.read(upTo: 4_096, at: 10) == Array(content[10..<4_106]))
                    var buffer = [UInt8](repeating: 0, count: 4_096)
                    #expect(try await file.read(into: &buffer, at: 5_000) == 4_096)
                    #expect(buffer == Array(content[5_000..<9_096]))
                    var sizes: [Int] = []
                    for try await chunk in file.chunks(ofCount: 3_000) { sizes.append(chunk.count) }
                    #expect(sizes == [3_000, 3_000, 3_000, 1_000])
                    #expect(try await FileSystem.readFile(path) == content)
                }
            }
        }

        @Test("A piece that was not in memory begins reading ahead", .enabled(if: isModuleAlone, "counts for all"))
        func readAhead() throws {
            try inFolder(.on) { loop, folder in
                let content = pattern(1 << 20)
                let path = folder.appending("file")
                try path.put(content)
                try await File.withFile(path) { file in
                    var chunks = file.chunks(ofCount: 100_000).makeAsyncIterator()
                    let (trips, hits) = (ThreadPool.statistics.finished, FileSystem.cacheCounters.hits)
                    cfaults_forget_cached(1)
                    #expect(try await chunks.next() == Array(content[..<100_000]))
                    cfaults_forget_cached(0)
                    try await restOfPool(on: loop)
                    // This piece and the next one.
                    #expect(ThreadPool.statistics.finished - trips + FileSystem.cacheCounters.hits - hits == 2)
                    #expect(try await chunks.next() == Array(content[100_000..<200_000]))
                }
            }
        }
    }

    /// Files that are not in memory, or only in part.
    @Suite(.enabled(if: ColdFile.isPossible, "the system keeps temporary files in memory")) struct Cold {
        @Test("What the system was made to forget is read once from the disk, then from memory", arguments: 0..<3)
        func forgotten(way: Int) throws {
            try inFolder(.on) { loop, folder in
                let content = pattern(1 << 20)
                let cold = try ColdFile(folder.appending("file"), content)
                let file = try await File.open(cold.path)
                _ = try await FileSystem.readFile(cold.path)
                try cold.drop()
                let (before, trips) = (FileSystem.cacheCounters, ThreadPool.statistics.finished)
                try await Misses.check(way, file, cold.path, content)
                let after = FileSystem.cacheCounters
                if isModuleAlone {
                    // A read that must not wait starts the disk all the same; one that answers at once makes it a hit.
                    #expect(after.misses - before.misses + after.hits - before.hits == 1)
                    #expect(ThreadPool.statistics.finished - trips == after.misses - before.misses)
                }
                // The pool has brought it to memory.
                try await expectHit { () async throws in try await Misses.check(way, file, cold.path, content) }
                try await file.close()
            }
        }

        @Test("At the edge of what is in memory reads are as long as anywhere")
        func edge() throws {
            try inFolder(.on) { loop, folder in
                let content = pattern(1 << 20)
                let cold = try ColdFile(folder.appending("file"), content)
                _ = try cold.warm(65_536)
                try await File.withFile(cold.path) { (file) async throws in
                    #expect(try await file.read(upTo: 1 << 20, at: 0) == content)
                    _ = try cold.warm(65_536)
                    var buffer = [UInt8](repeating: 0, count: 1 << 20)
                    #expect(try await file.read(into: &buffer, at: 0) == 1 << 20)
                    #expect(buffer == content)
                }
                // Whole files are whole.
                _ = try cold.warm(65_536)
                #expect(try await FileSystem.readFile(cold.path) == content)
                _ = try cold.warm(65_536)
                try await File.withFile(cold.path) { file in
                    var all: [UInt8] = []
                    for try await chunk in file.chunks(ofCount: 100_000) { all += chunk }
                    let isWhole = all == content
                    #expect(isWhole, "\(all.count) bytes")
                }
            }
        }
    }
}

/// A file whose pages the system can be made to forget.
private struct ColdFile: Sendable {
    let path: FilePath
    private let size: Int

    init(_ path: FilePath, _ content: [UInt8]) throws {
        self.path = path
        size = content.count
        try path.put(content)
        try drop()
    }

    /// Until not a page is in memory: the system keeps those that it is still writing, reading ahead or counting.
    func drop() throws {
        let file = try FileDescriptor.open(path, .readWrite)
        try file.closeAfter {
            for _ in 0..<10_000 {
                fsync(file.rawValue)
                posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
                if !residentPages(file).contains(true) { return }
                sched_yield()
            }
            throw StaysInMemory()
        }
    }

    /// Forgets the file and brings its first bytes back.
    ///
    /// - Returns: How many are in memory from the start on: whole pages, perhaps some more than asked for.
    func warm(_ count: Int) throws -> Int {
        try drop()
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_RANDOM)
            var bytes = [UInt8](repeating: 0, count: count)
            let read = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(fromAbsoluteOffset: 0, into: $0) }
            let pages = residentPages(file)
            let known = 4_096 * (pages.firstIndex(of: false) ?? pages.count)
            try #require(read == count && known >= count && known < size / 2)
            return known
        }
    }

    /// Which pages are in memory.
    private func residentPages(_ file: FileDescriptor) -> [Bool] {
        guard let memory = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, file.rawValue, 0), unsafe memory != MAP_FAILED
        else { return [] }
        defer { unsafe munmap(memory, size) }
        var pages = [UInt8](repeating: 0, count: size / 4_096)
        unsafe mincore(memory, size, &pages)
        return pages.map { $0 & 1 == 1 }
    }

    private struct StaysInMemory: Error {}

    static let isPossible: Bool = {
        let path = FilePath.systemTemporaryDirectory.appending("swift-uv-tests-\(UUID())")
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        guard sysconf(CInt(_SC_PAGESIZE)) == 4_096, let file = try? ColdFile(path, pattern(1 << 20)) else {
            return false
        }
        return (try? file.warm(65_536)) != nil
    }()
}
#endif
