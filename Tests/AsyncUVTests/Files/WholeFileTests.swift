import AsyncUV
import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct WholeFiles {
        @Test(arguments: FastPath.allCases) func thereAndBack(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                for count in [0, 1, 4_095, 4_096, 4_097, 100_000, 5 << 20] {
                    let content = pattern(count)
                    try await FileSystem.writeFile(path, content)
                    #expect(path.content == content)
                    for _ in 0..<2 { #expect(try await FileSystem.readFile(path) == content) }
                }
                try await FileSystem.writeFile(path, [1], durably: false)
                #expect(path.content == [1])
                #expect(folder.names == ["file"])
            }
        }

        @Test(arguments: FastPath.allCases) func limit(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(pattern(1_000))
                #expect(try await FileSystem.readFile(path, limit: 1_000).count == 1_000)
                await expect(.fileTooLarge, of: FilePath("\(path), which is larger than 999 bytes")) {
                    try await FileSystem.readFile(path, limit: 999)
                }
                // 64 MiB unless another is given.
                try await File.withFile(path, .writeOnly) { try await $0.truncate(to: 64 << 20) }
                #expect(try await FileSystem.readFile(path).count == 64 << 20)
                try await File.withFile(path, .writeOnly) { try await $0.truncate(to: 64 << 20 + 1) }
                await expect(.fileTooLarge, of: path) { try await FileSystem.readFile(path) }
                // Large in name only: no memory is taken for it.
                try await File.withFile(path, .writeOnly) { try await $0.truncate(to: 1 << 42) }
                await expect(.fileTooLarge, of: path) { try await FileSystem.readFile(path) }
            }
        }

        @Test("A file that is larger than all memory is an error, whatever the limit", arguments: FastPath.allCases)
        func largerThanMemory(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let shared = FilePath("/dev/shm/swift-uv-tests-\(UUID())")
                defer { try? FileManager.default.removeItem(atPath: shared.string) }
                var possible = 0
                for path in [folder.appending("file"), shared] {
                    try path.put([])
                    // Not every file system has files so large.
                    for size in [1 << 43, Int.max - 4_095, .max] where unsafe truncate(path.string, size) == 0 {
                        possible += 1
                        await expect(.noMemory, of: path) { try await FileSystem.readFile(path, limit: .max) }
                        await expect(.fileTooLarge, of: path) { try await FileSystem.readFile(path) }
                    }
                }
                #expect(possible > 0)
            }
        }

        @Test(arguments: FastPath.allCases) func errorsNameThePath(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let missing = folder.appending("missing")
                await expect(.noSuchFileOrDirectory, of: missing) { try await FileSystem.readFile(missing) }
                await expect(.isDirectory, of: folder) { try await FileSystem.readFile(folder) }
                await expect(.isDirectory, of: folder) { try await FileSystem.writeFile(folder, [1]) }
                let inside = missing.appending("file")
                await expect(.noSuchFileOrDirectory, of: inside) { try await FileSystem.writeFile(inside, [1]) }
                #expect(folder.names == [])
            }
        }

        @Test(
            "A new file gets the permissions asked for, less the mask; an old one keeps its own",
            arguments: FastPath.allCases)
        func permissions(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let mask = umask(0o022)
                defer { _ = umask(mask) }
                let path = folder.appending("file")
                try await FileSystem.writeFile(path, [1])
                #expect(try await FileSystem.status(of: path).permissions.rawValue == 0o644)
                try await FileSystem.setPermissions(FilePermissions(rawValue: 0o640), of: path)
                try await FileSystem.writeFile(path, [2], permissions: FilePermissions(rawValue: 0o777))
                #expect(try await FileSystem.status(of: path).permissions.rawValue == 0o640)
                let secret = folder.appending("secret")
                try await FileSystem.writeFile(secret, [2], permissions: .ownerReadWrite)
                #expect(try await FileSystem.status(of: secret).permissions == .ownerReadWrite)
            }
        }

        @Test("Symbolic links stay, whether there is something behind them or not", arguments: FastPath.allCases)
        func links(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let (file, link, chain) = (
                    folder.appending("file"), folder.appending("link"), folder.appending("chain")
                )
                try file.put([1])
                try await FileSystem.symlink(to: "file", at: link)
                try await FileSystem.symlink(to: link, at: chain)
                try await FileSystem.writeFile(chain, [2])
                #expect(file.content == [2])
                try await FileSystem.remove(file: file)
                // As opening for writing would do.
                try await FileSystem.writeFile(chain, [3])
                #expect(file.content == [3])
                #expect(try await FileSystem.readLink(link) == "file")
                #expect(try await FileSystem.readLink(chain) == link)
                let (a, b) = (folder.appending("a"), folder.appending("b"))
                try await FileSystem.symlink(to: "b", at: a)
                try await FileSystem.symlink(to: "a", at: b)
                await expect(.tooManySymbolicLinkLevels, of: a) { try await FileSystem.writeFile(a, [4]) }
                await expect(.tooManySymbolicLinkLevels, of: a) { try await FileSystem.readFile(a) }
                #expect(folder.names == ["a", "b", "chain", "file", "link"])
            }
        }

        @Test("Other names of the old file keep the old content; a device is written to", arguments: FastPath.allCases)
        func otherNames(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let (file, other) = (folder.appending("file"), folder.appending("other"))
                try file.put([1])
                try await FileSystem.link(file, at: other)
                try await FileSystem.writeFile(file, [2])
                #expect(file.content == [2] && other.content == [1])
                try await FileSystem.writeFile("/dev/null", [1, 2, 3])
                #expect(try await FileSystem.status(of: "/dev/null").kind == .characterDevice)
            }
        }

        @Test("C1: cancelled in the middle: the old content or the new, nothing else", arguments: FastPath.allCases)
        func cancelledInTheMiddle(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                let (old, new) = (pattern(1 << 20), [UInt8](repeating: 9, count: 1 << 20))
                for turns in [nil, 1, 5, 20, 100] as [Int?] {
                    try path.put(old)
                    let held = turns == nil ? HeldFile(folder, .openInside) : nil
                    let writing = loop.spawn { try await FileSystem.writeFile(path, new) }
                    if held != nil { try await wait(on: loop) { ThreadPool.statistics.running > 0 } }
                    for _ in 0..<(turns ?? 0) { try await loop.sleep(for: .zero) }
                    writing.cancel()
                    if let error = await failure(of: writing) { #expect(error is CancellationError) }
                    held?.release()
                    try await restOfPool(on: loop)
                    let content = path.content
                    let isWhole = content == old || content == new
                    #expect(isWhole && folder.names == ["file"])
                }
            }
        }

        @Test("Readers of the name see the old content or the new, while it changes", arguments: FastPath.allCases)
        func atomic(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put([UInt8](repeating: 0, count: 50_000))
                let writing = loop.spawn {
                    for number in 1...50 {
                        let content = [UInt8](repeating: UInt8(number), count: 50_000 + number)
                        try await FileSystem.writeFile(path, content, durably: false)
                    }
                }
                var last: UInt8 = 0
                while last < 50 {
                    let content = try await FileSystem.readFile(path)
                    let isWhole = Set(content).count == 1 && content.count == 50_000 + Int(content[0])
                    #expect(isWhole && content[0] >= last)
                    last = content.first ?? 50
                    await Task.yield()
                }
                try await writing.value
                #expect(folder.names == ["file"])
            }
        }
    }

    @Suite("F1: no space") struct FullDisk {
        @Test(arguments: FastPath.allCases) func device(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, _ in
                try await File.withFile("/dev/full", .writeOnly) { file in
                    await expect(.noSpace, of: "/dev/full after 0 bytes") { try await file.write(pattern(10), at: 0) }
                    await expect(.noSpace, of: "/dev/full") { try await file.append(pattern(10)) }
                }
                await expect(.noSpace, of: "/dev/full") { try await FileSystem.writeFile("/dev/full", [1]) }
            }
        }

        @Test(
            "A volume of 64 KiB: the error tells what was written, and a file that was whole stays so",
            .enabled(if: canMount, "needs the right to mount a volume"), arguments: FastPath.allCases)
        func volume(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                #expect(Self.mount(folder))
                do {
                    let old = folder.appending("old")
                    try await FileSystem.writeFile(old, pattern(10_000))
                    await expect(.noSpace, of: old) { try await FileSystem.writeFile(old, pattern(1 << 20)) }
                    #expect(old.content == pattern(10_000) && folder.names == ["old"])
                    let path = folder.appending("file")
                    try await File.withFile(path, .writeOnly, options: .create) { file in
                        var text = ""
                        do { try await file.write(pattern(1 << 20), at: 0) } catch let error as UVError {
                            #expect(error.code == .noSpace)
                            text = error.subject ?? ""
                        }
                        let size = try await file.status().size
                        #expect(size > 0 && text == "\(path) after \(size) bytes")
                        await expect(.noSpace, of: FilePath("\(path) after 0 bytes")) {
                            try await file.append(pattern(10_000))
                        }
                    }
                    await expect(.noSpace, of: old) { try await FileSystem.writeFile(old, pattern(10_001)) }
                    #expect(old.content == pattern(10_000) && folder.names == ["file", "old"])
                    #expect(try await FileSystem.volume(of: folder).availableBytes < 10_000)
                } catch { Issue.record("\(error)") }
                try await restOfPool(on: loop)
                #expect(unsafe cfaults_unmount(folder.string) == 0)
            }
        }

        private static func mount(_ folder: FilePath) -> Bool { unsafe cfaults_mount_small(folder.string, 65_536) == 0 }

        private static let canMount: Bool = {
            let folder = FilePath.systemTemporaryDirectory.appending("swift-uv-tests-\(UUID())")
            defer { try? FileManager.default.removeItem(atPath: folder.string) }
            try? FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            return unsafe mount(folder) && cfaults_unmount(folder.string) == 0
        }()
    }
}

extension FileSystem {
    fileprivate static func remove(file: FilePath) async throws {
        try await EventLoop.current?.offload { try FileManager.default.removeItem(atPath: file.string) }
    }
}
