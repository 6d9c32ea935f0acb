import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Where the calls with a timeout work: on `file`, which is open, and below `directory`, in which it is.
private struct Operands: Sendable {
    let directory: Directory
    let file: File

    func path(_ name: String) -> FilePath { directory.path.appending(name) }
}

/// A call that takes a timeout.
struct TimedCall: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// What its error names, in the folder; the beginning of it.
    let subject: String
    fileprivate let body: @Sendable (Operands, Duration) async throws -> Void

    private init(
        _ name: String, of subject: String = "file",
        _ body: @escaping @Sendable (Operands, Duration) async throws -> Void
    ) {
        (testDescription, self.subject, self.body) = (name, subject, body)
    }

    static let all = ofFiles + ofNames + ofDirectories

    private static let ofFiles: [TimedCall] = [
        .init("open") { _ = try await File.open($0.path("file"), timeout: $1) },
        .init("open, new", of: "new") {
            _ = try await File.open($0.path("new"), .writeOnly, options: .create, timeout: $1)
        },
        .init("withFile") { try await File.withFile($0.path("file"), timeout: $1) { _ in } },
        .init("read") { _ = try await $0.file.read(upTo: 10, at: 0, timeout: $1) },
        .init("read exactly") { _ = try await $0.file.read(exactly: 10, at: 0, timeout: $1) },
        .init("read into") {
            var buffer = [UInt8](repeating: 0, count: 10)
            do { _ = try await $0.file.read(into: &buffer, at: 0, timeout: $1) } catch {
                #expect(buffer.isEmpty)
                throw error
            }
        },
        .init("write") { try await $0.file.write([1, 2, 3], at: 0, timeout: $1) },
        .init("append") { try await $0.file.append([1, 2, 3], timeout: $1) },
        .init("truncate") { try await $0.file.truncate(to: 10, timeout: $1) },
        .init("sync") { try await $0.file.sync(timeout: $1) },
        .init("sync of data") { try await $0.file.sync(dataOnly: true, timeout: $1) },
        .init("status of an open file") { _ = try await $0.file.status(timeout: $1) },
        .init("size") { _ = try await $0.file.size(timeout: $1) },
        .init("permissions of an open file") { try await $0.file.setPermissions(.ownerReadWrite, timeout: $1) },
        .init("owner of an open file") { try await $0.file.setOwner(FileOwner(), timeout: $1) },
        .init("times of an open file") { try await $0.file.setTimes(accessed: .now, modified: .now, timeout: $1) },
        .init("send") {
            let (connection, _) = try await connectedPair()
            _ = try await $0.file.send(to: connection, count: 10, timeout: $1)
        },
        .init("lock") { try await $0.file.lock(timeout: $1) },
        .init("withLock") { try await $0.file.withLock(timeout: $1) {} },
    ]

    private static let ofNames: [TimedCall] = [
        .init("readFile") { _ = try await FileSystem.readFile($0.path("file"), timeout: $1) },
        .init("writeFile", of: "new") { try await FileSystem.writeFile($0.path("new"), [1, 2, 3], timeout: $1) },
        .init("status") { _ = try await FileSystem.status(of: $0.path("file"), timeout: $1) },
        .init("exists") { _ = try await FileSystem.exists($0.path("file"), timeout: $1) },
        .init("access") { try await FileSystem.checkAccess(to: $0.path("file"), for: .read, timeout: $1) },
        .init("volume") { _ = try await FileSystem.volume(of: $0.path("file"), timeout: $1) },
        .init("permissions") {
            try await FileSystem.setPermissions(.ownerReadWrite, of: $0.path("file"), timeout: $1)
        },
        .init("owner") { try await FileSystem.setOwner(FileOwner(), of: $0.path("file"), timeout: $1) },
        .init("times") {
            try await FileSystem.setTimes(accessed: .now, modified: .now, of: $0.path("file"), timeout: $1)
        },
        .init("rename") { try await FileSystem.rename($0.path("file"), to: $0.path("new"), timeout: $1) },
        .init("link") { try await FileSystem.link($0.path("file"), at: $0.path("new"), timeout: $1) },
        .init("symlink", of: "new") { try await FileSystem.symlink(to: "file", at: $0.path("new"), timeout: $1) },
        .init("readLink") { _ = try await FileSystem.readLink($0.path("file"), timeout: $1) },
        .init("realPath") { _ = try await FileSystem.realPath(of: $0.path("file"), timeout: $1) },
        .init("makeDirectory", of: "new") { try await FileSystem.makeDirectory($0.path("new"), timeout: $1) },
        .init("makeDirectory, with those above", of: "new/below") {
            try await FileSystem.makeDirectory($0.path("new/below"), withIntermediates: true, timeout: $1)
        },
        .init("copy") { _ = try await FileSystem.copy($0.path("file"), to: $0.path("new"), timeout: $1) },
        .init("copy of a tree", of: "tree") {
            _ = try await FileSystem.copy($0.path("tree"), to: $0.path("new"), timeout: $1)
        },
        .init("move") { try await FileSystem.move($0.path("file"), to: $0.path("new"), timeout: $1) },
        .init("remove") { try await FileSystem.remove($0.path("file"), timeout: $1) },
        .init("remove of a tree", of: "tree") { try await FileSystem.remove($0.path("tree"), timeout: $1) },
        .init("makeTemporaryDirectory", of: "tmp-") {
            _ = try await FileSystem.makeTemporaryDirectory(in: $0.directory.path, timeout: $1)
        },
        .init("makeTemporaryFile", of: "tmp-") {
            _ = try await FileSystem.makeTemporaryFile(in: $0.directory.path, timeout: $1)
        },
    ]

    private static let ofDirectories: [TimedCall] = [
        .init("sorted list", of: "") { _ = try await FileSystem.entries(of: $0.directory.path).sorted(timeout: $1) },
        .init("Directory.open", of: "") { _ = try await Directory.open($0.directory.path, timeout: $1) },
        .init("open below") { _ = try await $0.directory.open("file", .readWrite, timeout: $1) },
        .init("openDirectory below", of: "tree") { _ = try await $0.directory.openDirectory("tree", timeout: $1) },
        .init("status below") { _ = try await $0.directory.status(of: "file", timeout: $1) },
        .init("entries below", of: "tree") { _ = try await $0.directory.entries(of: "tree", timeout: $1) },
        .init("readFile below") { _ = try await $0.directory.readFile("file", timeout: $1) },
        .init("makeDirectory below", of: "new") { try await $0.directory.makeDirectory("new", timeout: $1) },
        .init("removeFile below") { try await $0.directory.removeFile("file", timeout: $1) },
        .init("removeDirectory below", of: "tree") { try await $0.directory.removeDirectory("tree", timeout: $1) },
        .init("rename below") { try await $0.directory.rename("file", to: "new", timeout: $1) },
        .init("writeFile below", of: "new") { try await $0.directory.writeFile("new", [1], timeout: $1) },
        .init("link below") { try await $0.directory.link("file", at: "new", timeout: $1) },
        .init("symlink below", of: "new") { try await $0.directory.symlink(to: "file", at: "new", timeout: $1) },
        .init("readLink below") { _ = try await $0.directory.readLink("file", timeout: $1) },
        .init("permissions below") {
            try await $0.directory.setPermissions(.ownerReadWrite, of: "file", timeout: $1)
        },
        .init("times below") {
            try await $0.directory.setTimes(accessed: .now, modified: .now, of: "file", timeout: $1)
        },
    ]
}

extension FileTests {
    @Suite struct Timeouts {
        private static func withOperands(
            _ fastPath: FastPath = .off, _ body: @escaping @Sendable (EventLoop, Operands) async throws -> Void
        ) throws {
            try inFolder(fastPath) { loop, folder in
                try folder.appending("file").put(pattern(1_000))
                try FileManager.default.createDirectory(
                    atPath: folder.appending("tree").string, withIntermediateDirectories: false)
                let directory = try await Directory.open(folder)
                let file = try await File.open(folder.appending("file"), .readWrite)
                try await body(loop, Operands(directory: directory, file: file))
                try await file.close()
                try await directory.close()
            }
        }

        private static func expectTimeout(_ call: TimedCall, _ operands: Operands) async {
            do {
                try await call.body(operands, .milliseconds(2))
                Issue.record("nothing was thrown")
            } catch {
                let error = error as? UVError
                #expect(error?.code == .timedOut, "\(error as Any)")
                let subject = call.subject.isEmpty ? operands.directory.path : operands.path(call.subject)
                #expect(error?.subject?.hasPrefix(subject.string) == true, "\(error?.subject ?? "no subject")")
            }
        }

        private static func expectUntouched(_ operands: Operands) {
            #expect(operands.directory.path.names == ["file", "tree"])
            #expect(operands.path("file").content == pattern(1_000))
        }

        @Test(
            "F3: in the line for a thread it ends in time, names the path, and nothing has happened",
            arguments: TimedCall.all)
        func queued(_ call: TimedCall) throws {
            try Self.withOperands { loop, operands in
                let pool = try await FullPool(on: loop)
                await Self.expectTimeout(call, operands)
                await Task.detached { await Self.expectTimeout(call, operands) }.value
                pool.release()
                try await restOfPool(on: loop)
                Self.expectUntouched(operands)
            }
        }

        @Test("A timeout that is not needed changes nothing, and holds nobody up", arguments: TimedCall.all)
        func inTime(_ call: TimedCall) throws {
            for fastPath in FastPath.allCases {
                try Self.withOperands(fastPath) { _, operands in
                    do { try await call.body(operands, .seconds(3_600)) } catch UVError.Code.invalidArgument {
                        // The file is no link.
                        #expect(["readLink", "readLink below"].contains(call.testDescription))
                    }
                }
            }
        }

        @Test("What is in memory is there, however short the time and however full the pool")
        func inMemory() throws {
            try Self.withOperands(.on) { loop, operands in
                _ = try await operands.file.read(upTo: 1_000, at: 0)
                try await expectHit { _ = try await FileSystem.readFile(operands.path("file")) }
                let pool = try await FullPool(on: loop)
                #expect(try await operands.file.read(upTo: 1_000, at: 0, timeout: .zero) == pattern(1_000))
                #expect(try await operands.file.read(exactly: 1_000, at: 0, timeout: .zero) == pattern(1_000))
                var buffer = [UInt8](repeating: 0, count: 1_000)
                #expect(try await operands.file.read(into: &buffer, at: 0, timeout: .zero) == 1_000)
                pool.release()
            }
        }

        @Test("A thread has begun: the call ends in time, the thread later, and a file that it opened is closed")
        func running() throws {
            guard HeldFile.isPossible else { return }
            try Self.withOperands { loop, operands in
                for call in TimedCall.all where ["open", "withFile", "readFile"].contains(call.testDescription) {
                    var hasBegun = false
                    // On a busy machine the time may be over before a thread begins.
                    while !hasBegun {
                        let held = try #require(HeldFile(operands.path("file"), .open))
                        await Self.expectTimeout(call, operands)
                        hasBegun = ThreadPool.statistics.running >= 1
                        held.release()
                        try await restOfPool(on: loop)
                    }
                    try await wait(on: loop) { openFiles(in: operands.directory.path).count == 2 }
                }
            }
        }

        @Test("A lock that does not come in time is not taken later")
        func lock() throws {
            try Self.withOperands { loop, operands in
                let other = try await File.open(operands.path("file"), .readWrite)
                try await other.lock()
                for call in TimedCall.all where ["lock", "withLock"].contains(call.testDescription) {
                    await Self.expectTimeout(call, operands)
                }
                try await other.unlock()
                try await restOfPool(on: loop)
                #expect(try await other.tryLock())
                try await other.close()
                try await operands.file.lock(timeout: .seconds(3_600))
            }
        }
    }
}
