import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Reading {
        @Test(arguments: FastPath.allCases) func parts(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                let content = pattern(10_000)
                try path.put(content)
                try await File.withFile(path) { (file) async throws in
                    #expect(try await file.read(upTo: 100, at: 0) == Array(content[..<100]))
                    #expect(try await file.read(upTo: 4_096, at: 5_000) == Array(content[5_000..<9_096]))
                    // Short before the end, empty at and behind it.
                    #expect(try await file.read(upTo: 4_096, at: 9_000) == Array(content[9_000...]))
                    #expect(try await file.read(upTo: 4_096, at: 10_000) == [])
                    #expect(try await file.read(upTo: 4_096, at: 1 << 40) == [])
                    #expect(try await file.read(upTo: .max, at: 1) == Array(content[1...]))
                    #expect(try await file.read(upTo: 0, at: 0) == [])
                }
            }
        }

        @Test(arguments: FastPath.allCases) func intoAnArray(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                let content = pattern(10_000)
                try path.put(content)
                try await File.withFile(path) { file in
                    var buffer = [UInt8](repeating: 0, count: 4_096)
                    for offset in [0, 4_096, 8_192] {
                        let count = try await file.read(into: &buffer, at: Int64(offset))
                        #expect(count == min(4_096, 10_000 - offset) && buffer.count == 4_096)
                        #expect(buffer[..<count] == content[offset..<(offset + count)])
                    }
                    #expect(try await file.read(into: &buffer, at: 10_000) == 0)
                    var none: [UInt8] = []
                    #expect(try await file.read(into: &none, at: 0) == 0)
                }
            }
        }

        @Test("The fast path shows in the speed only: same bytes, same errors")
        func sameBothWays() throws {
            let outcomes = try FastPath.allCases.map { fastPath in
                try inFolder(fastPath) { _, folder in
                    try folder.appending("file").put(pattern(70_000))
                    try folder.appending("empty").put([])
                    let numbers: [Int64] = [
                        .min, -2, -1, 0, 1, 4_095, 4_096, 69_999, 70_000, 70_001, .max - 1, .max,
                    ]
                    var outcomes: [String] = []
                    for path in [folder.appending("file"), folder.appending("empty"), folder, "/dev/zero"] {
                        let file = try await File.open(path)
                        for (offset, count) in numbers.flatMap({ offset in numbers.map { (offset, $0) } }) {
                            // The device would fill all the memory that it is given.
                            if path == "/dev/zero", count > 70_001 { continue }
                            do {
                                let bytes = try await file.read(upTo: Int(count), at: offset)
                                outcomes.append("\(offset) \(count): \(bytes.count) \(bytes.hashValue)")
                            } catch {
                                let text = "\(error)".replacing(folder.string, with: "")
                                outcomes.append("\(offset) \(count): \(text)")
                            }
                        }
                        try await file.close()
                    }
                    return outcomes
                }
            }
            for (on, off) in zip(outcomes[0], outcomes[1]) { #expect(on == off) }
        }

        @Test(
            "A file in memory is read at once; with the switch off never",
            .enabled(if: isModuleAlone, "counts for the whole process"), arguments: FastPath.allCases)
        func counters(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(pattern(8_192))
                try await File.withFile(path) { file in
                    let (before, trips) = (FileSystem.cacheCounters, ThreadPool.statistics.finished)
                    for _ in 0..<100 { _ = try await file.read(upTo: 4_096, at: 4_096) }
                    for _ in 0..<100 { _ = try await FileSystem.readFile(path) }
                    let (after, tripsAfter) = (FileSystem.cacheCounters, ThreadPool.statistics.finished)
                    if fastPath == .off {
                        #expect(after.hits == before.hits && tripsAfter - trips == 200)
                    } else {
                        #expect(after.hits - before.hits + tripsAfter - trips == 200)
                        #expect(after.hits > before.hits)
                    }
                }
            }
        }

        @Test(arguments: FastPath.allCases) func numbersOutOfRange(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put([1, 2, 3])
                try await File.withFile(path, .readWrite) { file in
                    for number in [-1, -2, Int.min] {
                        await expectError(.invalidArgument) {
                            try await file.read(upTo: number, at: 0)
                        }
                        let offset = Int64(number)
                        await expectError(.invalidArgument) {
                            try await file.read(upTo: 1, at: offset)
                        }
                        await expectError(.invalidArgument) { try await file.write([1], at: offset) }
                        await expectError(.invalidArgument) { try await file.truncate(to: offset) }
                        var buffer: [UInt8] = [0]
                        await expectError(.invalidArgument) {
                            try await file.read(into: &buffer, at: offset)
                        }
                    }
                }
                for limit in [-1, Int.min] {
                    await expectError(.invalidArgument) {
                        try await FileSystem.readFile(path, limit: limit)
                    }
                }
                #expect(path.content == [1, 2, 3])
            }
        }

        @Test(arguments: FastPath.allCases) func errorsNameThePath(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                try await File.withFile(folder) { directory in
                    await expect(.isDirectory, of: folder) { try await directory.read(upTo: 10, at: 0) }
                    var buffer: [UInt8] = [0]
                    await expect(.isDirectory, of: folder) { try await directory.read(into: &buffer, at: 0) }
                }
                let path = folder.appending("file")
                try path.put([1])
                try await File.withFile(path, .writeOnly) { file in
                    await expect(.badFileDescriptor, of: path) { try await file.read(upTo: 10, at: 0) }
                }
            }
        }

        @Test("Pseudo-files say that they are empty and are read to their end", arguments: FastPath.allCases)
        func pseudoFiles(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, _ in
                for path: FilePath in ["/proc/filesystems", "/proc/kallsyms", "/proc/self/cmdline"] {
                    guard let expected = path.content else { continue }
                    // Differences of megabytes take the test library hours to find.
                    let isWhole = try await FileSystem.readFile(path) == expected
                    #expect(isWhole, "\(path), \(expected.count) bytes")
                    try await File.withFile(path) { file in
                        #expect(try await file.status().size == 0)
                        var bytes: [UInt8] = []
                        for try await chunk in file.chunks(ofCount: 65_536) { bytes += chunk }
                        let isWhole = bytes == expected
                        #expect(isWhole, "\(path), \(expected.count) bytes")
                    }
                    await expectError(.fileTooLarge) {
                        try await FileSystem.readFile(path, limit: expected.count - 1)
                    }
                }
            }
        }

        @Test(arguments: FastPath.allCases) func cutWhileRead(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(pattern(100_000))
                let file = try await File.open(path)
                #expect(try await file.read(upTo: 10, at: 50_000).count == 10)
                try await File.withFile(path, .writeOnly) { try await $0.truncate(to: 60_005) }
                #expect(try await file.read(upTo: 10, at: 60_000).count == 5)
                #expect(try await file.read(upTo: 10, at: 70_000) == [])
                try await File.withFile(path, .writeOnly) { try await $0.truncate(to: 0) }
                #expect(try await file.read(upTo: 10, at: 0) == [])
                try await File.withFile(path, .writeOnly) { try await $0.write([7], at: 2) }
                #expect(try await file.read(upTo: 10, at: 0) == [0, 0, 7])
                try await file.close()
            }
        }

        @Test("Many tasks read one file side by side", arguments: FastPath.allCases)
        func sideBySide(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                let content = pattern(1 << 20)
                try path.put(content)
                try await File.withFile(path) { file in
                    try await withThrowingDiscardingTaskGroup { group in
                        for number in 0..<256 {
                            group.addTask {
                                let start = number * 4_096
                                let bytes = try await file.read(upTo: 4_096, at: Int64(start))
                                #expect(bytes == Array(content[start..<(start + 4_096)]))
                            }
                        }
                    }
                }
            }
        }

        @Test("From a task that is not on the loop", arguments: FastPath.allCases)
        func fromElsewhere(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(9))
                try await Task.detached {
                    let file = try await File.open(path, on: loop)
                    #expect(try await file.read(upTo: 100, at: 4) == Array(pattern(9)[4...]))
                    var buffer = [UInt8](repeating: 0, count: 3)
                    #expect(try await file.read(into: &buffer, at: 0) == 3 && buffer == pattern(3))
                    #expect(try await FileSystem.readFile(path, on: loop) == pattern(9))
                    var count = 0
                    for try await chunk in file.chunks(ofCount: 2) { count += chunk.count }
                    #expect(count == 9)
                    try await file.close()
                }.value
            }
        }

        @Test("From a task that is not on the loop, too, what is in memory is read without the pool")
        func cachedFromElsewhere() throws {
            try inFolder(.on) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(9))
                let file = try await File.open(path)
                _ = try await FileSystem.readFile(path)
                let pool = try await FullPool(on: loop)
                try await Task.detached { () async throws in
                    #expect(try await file.read(upTo: 100, at: 4) == Array(pattern(9)[4...]))
                    var buffer = [UInt8](repeating: 0, count: 3)
                    #expect(try await file.read(into: &buffer, at: 0) == 3 && buffer == pattern(3))
                }.value
                pool.release()
                try await file.close()
                try await expectHit { () async throws in
                    try await Task.detached { () async throws in
                        #expect(try await FileSystem.readFile(path, on: loop) == pattern(9))
                    }.value
                }
            }
        }
    }
}
