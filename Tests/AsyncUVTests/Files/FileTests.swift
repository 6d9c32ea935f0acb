import AsyncUV
import CFaults
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import UV

/// All tests of files. One after the other: the thread pool and the switch for reads from memory are the process's.
@Suite(.solePool, .ownThread, .serialized) struct FileTests {}

/// Whether files that are in memory are read on the loop's thread.
enum FastPath: CaseIterable {
    case on, off

    /// For tests that do not take both: `SWIFT_UV_FAST_PATH=off` runs them once more without it.
    static let usual: FastPath = ProcessInfo.processInfo.environment["SWIFT_UV_FAST_PATH"] == "off" ? .off : .on
}

/// Runs a body on a loop, with an empty folder. Fails on files in it that are still open when the body has ended.
@discardableResult
func inFolder<Value: Sendable>(
    _ fastPath: FastPath = .usual, _ body: @escaping @Sendable (EventLoop, FilePath) async throws -> Value
) throws -> Value {
    let folder = FilePath.systemTemporaryDirectory.appending("swift-uv-tests-\(UUID())")
    try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    FileSystem.cachedFastPath = fastPath == .on
    defer { FileSystem.cachedFastPath = FastPath.usual == .on }
    return try onLoop { loop in
        let value = try await body(loop, folder)
        // What was dropped or cancelled ends in the background.
        try await restOfPool(on: loop)
        var left = openFiles(in: folder)
        for _ in 0..<1_000 {
            if left.isEmpty { break }
            try await loop.sleep(for: .milliseconds(1))
            left = openFiles(in: folder)
        }
        if !left.isEmpty { Issue.record("left open: \(left)") }
        return value
    }
}

/// Waits for something that happens on another thread.
func wait(on loop: EventLoop, until isTrue: () -> Bool) async throws {
    while !isTrue() { try await loop.sleep(for: .milliseconds(1)) }
}

/// Waits until the thread pool has nothing more to do.
func restOfPool(on loop: EventLoop) async throws {
    try await wait(on: loop) { ThreadPool.statistics.queued == 0 && ThreadPool.statistics.running == 0 }
}

/// Reads until memory has answered: the system may look for a name in vain while others change theirs.
func expectHit(_ read: @Sendable () async throws -> Void) async throws {
    let hits = FileSystem.cacheCounters.hits
    for _ in 0..<100 where FileSystem.cacheCounters.hits == hits { try await read() }
    #expect(FileSystem.cacheCounters.hits > hits)
}

/// Slow work that keeps every thread of the pool busy until it is released.
struct FullPool {
    private static let threads = ProcessInfo.processInfo.environment["UV_THREADPOOL_SIZE"].flatMap { Int($0) } ?? 4
    private let door = DispatchSemaphore(value: 0)

    init(on loop: EventLoop) async throws {
        let door = door
        try await loop.withLoop { loop in
            for _ in 0..<Self.threads {
                try WorkRequest.run(on: loop) {
                    door.wait()
                } onDone: { _, _ in
                }
            }
        }
        try await wait(on: loop) { ThreadPool.statistics.running >= Self.threads }
    }

    func release() { for _ in 0..<Self.threads { door.signal() } }
}

/// A file that nobody can open, or read, until it is released.
struct HeldFile {
    enum Call { case open, openInside, read }
    private let descriptor: CInt

    /// `nil` where the system or the user's rights do not allow it.
    init?(_ path: FilePath, _ call: Call) {
        switch call {
        case .open: unsafe descriptor = cfaults_hold_opens(path.string, 0)
        case .openInside: unsafe descriptor = cfaults_hold_opens(path.string, 1)
        case .read: unsafe descriptor = cfaults_hold_reads(path.string)
        }
        if descriptor < 0 { return nil }
    }

    func release() { close(descriptor) }

    /// Whether this process may hold files.
    static let isPossible: Bool = {
        let path = FilePath.systemTemporaryDirectory.appending("swift-uv-tests-\(UUID())")
        guard (try? path.put([])) != nil else { return false }
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        let held = HeldFile(path, .open)
        held?.release()
        return held != nil
    }()
}

extension FilePath {
    /// Writes a file, without the library.
    func put(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: string)) }

    /// What is in the file, read without the library; `nil` if it is not there. (`Data` stops early in pseudo-files.)
    var content: [UInt8]? {
        guard let file = try? FileDescriptor.open(self, .readOnly) else { return nil }
        return try? file.closeAfter { try file.readToEnd() }
    }

    /// The names in the directory, read without the library.
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: string)) ?? []).sorted() }
}

/// Bytes that tell where they are: they come again after a prime number. (Made in blocks: debug builds are slow.)
func pattern(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes += patternBlock.prefix(count - bytes.count) }
    return bytes
}

private let patternBlock = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }

/// Expects an error with a code that names the path.
func expect<Value: Sendable>(
    _ expected: UVError.Code, of path: FilePath, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Value
) async {
    do {
        _ = try await body()
        Issue.record("no error", sourceLocation: sourceLocation)
    } catch let error as UVError {
        #expect(error.code == expected, "\(error)", sourceLocation: sourceLocation)
        #expect(error.subject?.contains(path.string) == true, "\(error)", sourceLocation: sourceLocation)
    } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}
