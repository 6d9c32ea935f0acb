import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Writing {
        @Test(arguments: FastPath.allCases) func everywhere(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try await File.withFile(path, .readWrite, options: .create) { file in
                    try await file.write([1, 2, 3], at: 0)
                    try await file.write([], at: 1_000)
                    #expect(try await file.read(upTo: 10, at: 0) == [1, 2, 3])
                    // Zeros in between.
                    try await file.write([9], at: 5)
                    #expect(try await file.read(upTo: 10, at: 0) == [1, 2, 3, 0, 0, 9])
                    try await file.append([7, 8])
                    try await file.append([])
                    #expect(try await file.read(upTo: 10, at: 0) == [1, 2, 3, 0, 0, 9, 7, 8])
                    try await file.truncate(to: 2)
                    #expect(try await file.read(upTo: 10, at: 0) == [1, 2])
                    try await file.truncate(to: 4)
                    #expect(try await file.read(upTo: 10, at: 0) == [1, 2, 0, 0])
                    try await file.sync()
                    try await file.sync(dataOnly: true)
                    let big = pattern(5 << 20)
                    try await file.write(big, at: 0)
                    #expect(try await file.status().size == 5 << 20)
                    #expect(path.content == big)
                }
            }
        }

        @Test("Appends of many tasks do not overwrite each other", arguments: FastPath.allCases)
        func appends(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("log")
                try await File.withFile(path, .writeOnly, options: .create) { file in
                    try await withThrowingDiscardingTaskGroup { group in
                        for number in 0..<200 {
                            group.addTask { try await file.append([UInt8](repeating: UInt8(number), count: 50)) }
                        }
                    }
                }
                let content = try #require(path.content)
                #expect(content.count == 10_000)
                let records = stride(from: 0, to: content.count, by: 50).map { Set(content[$0..<($0 + 50)]) }
                #expect(records.allSatisfy { $0.count == 1 } && Set(records).count == 200)
            }
        }

        @Test(arguments: FastPath.allCases) func wrongMode(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put([1])
                try await File.withFile(path) { file in
                    await expect(.badFileDescriptor, of: path) { try await file.write([1], at: 0) }
                    await expect(.badFileDescriptor, of: path) { try await file.append([1]) }
                    await expect(.invalidArgument, of: path) { try await file.truncate(to: 5) }
                }
            }
        }

        @Test("F2: an open that fails names the path and leaves no descriptor", arguments: FastPath.allCases)
        func refusedOpens(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let file = folder.appending("file")
                try file.put([1])
                let missing = folder.appending("missing")
                await expect(.noSuchFileOrDirectory, of: missing) { try await File.open(missing) }
                let inside = missing.appending("x")
                await expect(.noSuchFileOrDirectory, of: inside) {
                    try await File.open(inside, .writeOnly, options: .create)
                }
                await expect(.fileExists, of: file) {
                    try await File.open(file, .writeOnly, options: [.create, .exclusiveCreate])
                }
                await expect(.isDirectory, of: folder) { try await File.open(folder, .writeOnly) }
                let below = file.appending("below")
                await expect(.notDirectory, of: below) { try await File.open(below) }
                let long = FilePath("\(folder)/\(String(repeating: "x", count: 70_000))")
                await expect(.fileNameTooLong, of: long) { try await File.open(long) }
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appending("a").string, withDestinationPath: "b")
                try FileManager.default.createSymbolicLink(
                    atPath: folder.appending("b").string, withDestinationPath: "a")
                let loop = folder.appending("a")
                await expect(.tooManySymbolicLinkLevels, of: loop) { try await File.open(loop) }
                await expectError(.noSuchFileOrDirectory) { try await File.open("") }
                expectError(.invalidArgument) { try FilePath(validating: "a\0b") }
                // Nobody may write to it, root neither.
                let readOnly: FilePath = "/sys/kernel/uevent_seqnum"
                if readOnly.content != nil {
                    await expect(.permissionDenied, of: readOnly) { try await File.open(readOnly, .writeOnly) }
                }
                #expect(openFiles(in: folder).isEmpty)
            }
        }

        @Test("A FIFO without another side keeps nobody waiting", arguments: FastPath.allCases)
        func fifo(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("fifo")
                #expect(unsafe mkfifo(path.string, 0o600) == 0)
                try await File.withFile(path) { (file) async throws in
                    #expect(try await file.status().kind == .fifo)
                    await expect(.illegalSeek, of: path) { try await file.read(upTo: 10, at: 0) }
                }
                await expect(.noSuchAddressOrDevice, of: path) { try await File.open(path, .writeOnly) }
            }
        }

        @Test func statusOfTheOpenFile() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                let permissions: FilePermissions = [.ownerReadWrite, .groupRead]
                try await File.withFile(path, .readWrite, options: .create, permissions: permissions) { file in
                    try await file.setPermissions([.ownerReadWrite, .otherRead])
                    try await file.setTimes(
                        accessed: FileTime(seconds: 1_000), modified: FileTime(seconds: 2_000, nanoseconds: 500_000_000)
                    )
                    try await file.setOwner(FileOwner(user: getuid(), group: getgid()))
                    let status = try await file.status()
                    #expect(status.kind == .regular && status.size == 0 && status.linkCount == 1)
                    #expect(status.permissions == [.ownerReadWrite, .otherRead])
                    #expect(status.accessed == FileTime(seconds: 1_000))
                    #expect(status.modified == FileTime(seconds: 2_000, nanoseconds: 500_000_000))
                    #expect(status.user == getuid() && status.group == getgid())
                    let sameByName = try await FileSystem.status(of: path)
                    #expect(sameByName.inode == status.inode && sameByName.device == status.device)
                }
            }
        }

        @Test("Times are kept to the microsecond, although libuv takes them as floating-point numbers")
        func microseconds() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([])
                for time in [
                    0, 1, 999_999, 2_000_500_000, 1_700_000_000_000_001, 1_795_000_000_123_457, -1, -250_000,
                    -1_000_000,
                    -999_999, -1_000_250_001,
                ] {
                    let time = FileTime(seconds: 0, nanoseconds: Int64(time) * 1_000 + 789)
                    try await FileSystem.setTimes(accessed: .now, modified: time, of: path)
                    #expect(try await FileSystem.status(of: path).modified == time)
                }
            }
        }

        @Test("Without permissions a new file is its owner's")
        func permissionsOfANewFile() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try await File.withFile(path, .writeOnly, options: .create) { _ in }
                #expect(try await FileSystem.status(of: path).permissions == .ownerReadWrite)
            }
        }
    }
}
