import Foundation
import SystemPackage
import Testing

@testable import UV

/// What a container grants.
struct ProcessorsTests {
    /// Writes files below a fresh folder and asks for the quota of a group there.
    private func quota(_ files: [String: String], of path: String) throws -> Int? {
        let root = FileManager.default.temporaryDirectory.appending(path: "swift-uv-\(UUID())")
        defer { try? FileManager.default.removeItem(at: root) }
        for (name, text) in files {
            let file = root.appending(path: name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return Processors.quota(under: FilePath(root.path), path: path)
    }

    @Test func versionTwo() throws {
        #expect(try quota(["app/cpu.max": "200000 100000\n"], of: "/app") == 2)
        #expect(try quota(["app/cpu.max": "150000 100000\n"], of: "/app") == 2, "rounded up")
        #expect(try quota(["app/cpu.max": "1000 100000\n"], of: "/app") == 1)
        #expect(try quota(["cpu.max": "400000 100000\n"], of: "/") == 4)
    }

    @Test func noLimit() throws {
        #expect(try quota(["app/cpu.max": "max 100000\n"], of: "/app") == nil)
        #expect(try quota([:], of: "/app") == nil)
        #expect(try quota([:], of: "/") == nil)
        #expect(try quota(["app/cpu.cfs_quota_us": "1"], of: "") == nil)
    }

    @Test("The smallest quota of a group and those around it")
    func nested() throws {
        let files = [
            "cpu.max": "max 100000", "outer/cpu.max": "100000 100000", "outer/inner/cpu.max": "800000 100000",
            "outer/inner/leaf/cpu.max": "max 100000",
        ]
        #expect(try quota(files, of: "/outer/inner/leaf") == 1)
        #expect(try quota(files, of: "/outer/inner") == 1)
        #expect(try quota(files, of: "/other") == nil)
    }

    @Test func versionOne() throws {
        let files = [
            "cpu/docker/cpu.cfs_quota_us": "250000\n", "cpu/docker/cpu.cfs_period_us": "100000\n",
            "cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n",
        ]
        #expect(try quota(files, of: "/docker") == 3)
        #expect(try quota(files, of: "/") == nil)
        #expect(try quota(files, of: "/docker/deeper") == 3)
    }

    @Test func nonsense() throws {
        for text in ["", "\n", "abc def", "100000", "1 2 3", "100000 0", "-5 100000", "0 0", "99999999999999999999 1"] {
            #expect(try quota(["app/cpu.max": text], of: "/app") == nil, "\(text.debugDescription)")
        }
        #expect(try quota(["app/cpu.max": "9223372036854775807 100000"], of: "/app") != 0)
    }

    @Test func ofThisProcess() {
        #expect(Processors.allowed >= 1)
        #expect((1...Processors.allowed).contains(Processors.granted))
    }
}
