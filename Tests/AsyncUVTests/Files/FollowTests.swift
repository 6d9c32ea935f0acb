import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Follow {
        /// Follows a file and writes down what happens to it.
        private func follow(
            _ path: FilePath, from start: File.FollowStart = .end
        ) async throws -> (FollowedFile, Shared<[FollowedFile.Notice]>) {
            let notices = Shared<[FollowedFile.Notice]>([])
            let file = try await File.follow(path, from: start) { notice in notices.change { $0.append(notice) } }
            return (file, notices)
        }

        @Test("What is written from now on, in the order in which it is", arguments: FastPath.allCases)
        func growth(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("log")
                try path.put([1, 2, 3])
                let (file, notices) = try await follow(path)
                #expect(file.path == path)
                for number: UInt8 in 0..<20 {
                    try path.add([number, number])
                    #expect(try await file.next() == [number, number])
                }
                let (whole, _) = try await follow(path, from: .beginning)
                #expect(try await whole.next().count == 43)
                let (rest, _) = try await follow(path, from: .offset(41))
                #expect(try await rest.next() == [19, 19])
                #expect(notices.value == [])
            }
        }

        @Test("Lines that one sequence has not taken come in the next one, or as bytes")
        func linesTwice() throws {
            try inFolder { _, folder in
                let path = folder.appending("log")
                try path.put(Array("one\ntwo\nthree\nfour\nfi".utf8))
                let (file, _) = try await follow(path, from: .beginning)
                var taken: [String] = []
                for try await line in file.lines() {
                    taken.append(line)
                    if line == "two" { break }
                }
                for try await line in file.lines() {
                    taken.append(line)
                    break
                }
                #expect(taken == ["one", "two", "three"])
                #expect(String(decoding: try await file.next(), as: UTF8.self) == "four\nfi")
            }
        }

        @Test("More than a read takes, and faster than it is read") func large() throws {
            try inFolder { _, folder in
                let path = folder.appending("log")
                try path.put([])
                let (file, _) = try await follow(path)
                let bytes = pattern(3_000_000)
                let writer = PlainThread {
                    for start in stride(from: 0, to: bytes.count, by: 10_000) {
                        try path.add(Array(bytes[start..<start + 10_000]))
                    }
                }
                var read: [UInt8] = []
                while read.count < bytes.count { read += try await file.next() }
                #expect(read == bytes)
                try writer.value()
            }
        }

        @Test("Lines: a part waits for its rest, and ends with the file")
        func lines() throws {
            try inFolder { loop, folder in
                let path = folder.appending("log")
                try path.put([])
                let file = try await File.follow(path)
                var lines = file.lines().makeAsyncIterator()
                try path.add(Array("one\ntwo\r\nthr".utf8))
                #expect(try await lines.next() == "one")
                #expect(try await lines.next() == "two")
                try path.add(Array("ee\nlast".utf8))
                try await FileSystem.rename(path, to: folder.appending("log.1"))
                try path.put(Array("new\n".utf8))
                for line in ["three", "last", "new"] { #expect(try await lines.next() == line) }
                var short = try await File.follow(path, from: .beginning).lines(limit: 2).makeAsyncIterator()
                do {
                    _ = try await short.next()
                    Issue.record("no error")
                } catch UVError.Code.messageTooLong {}
            }
        }

        @Test("A file that becomes shorter is read from its beginning", arguments: FastPath.allCases)
        func truncation(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("log")
                try path.put([1, 2, 3])
                let (file, notices) = try await follow(path, from: .beginning)
                #expect(try await file.next() == [1, 2, 3])
                let waiting = loop.spawn { try await file.next() }
                try await loop.waitUntilIdle()
                try path.cut()
                try await wait(on: loop) { notices.value == [.truncated] }
                try path.add([4])
                #expect(try await waiting.value == [4])
            }
        }

        @Test("A log that is rotated: the old file is read to its end, then the new one from its beginning")
        func rotation() throws {
            try inFolder { loop, folder in
                let path = folder.appending("log")
                try path.put([1])
                let (file, notices) = try await follow(path, from: .beginning)
                #expect(try await file.next() == [1])
                for round: UInt8 in 0..<5 {
                    let old = folder.appending("log.\(round)")
                    try await FileSystem.rename(path, to: old)
                    // Its writer has not heard of it yet.
                    try old.add([2, round])
                    #expect(try await file.next() == [2, round])
                    try old.add([3, round])
                    try path.put([4, round])
                    #expect(try await file.next() == [3, round])
                    #expect(try await file.next() == [4, round])
                    #expect(notices.value.last == .replaced)
                }
                #expect(notices.value.filter { $0 == .replaced }.count == 5)
            }
        }

        @Test("A new file in its place, by a renaming; removed and made again")
        func replaced() throws {
            try inFolder { loop, folder in
                let path = folder.appending("log")
                try path.put([1, 2, 3])
                let (file, notices) = try await follow(path)
                try await FileSystem.writeFile(path, [4])
                #expect(try await file.next() == [4])
                let waiting = loop.spawn { try await file.next() }
                try await loop.waitUntilIdle()
                try await FileSystem.remove(path)
                try await wait(on: loop) { notices.value == [.replaced, .gone] }
                try path.put([5])
                #expect(try await waiting.value == [5])
                #expect(notices.value == [.replaced, .gone, .replaced])
            }
        }

        @Test("A file that does not exist yet, in a directory that does not exist yet", arguments: [false, true])
        func appears(_ hasDirectory: Bool) throws {
            try inFolder { loop, folder in
                let path = folder.appending("logs/log")
                if hasDirectory { try await FileSystem.makeDirectory(folder.appending("logs")) }
                let (file, notices) = try await follow(path)
                let waiting = loop.spawn { try await file.next() }
                try await loop.waitUntilIdle()
                if !hasDirectory { try await FileSystem.makeDirectory(folder.appending("logs")) }
                try path.put([1, 2])
                #expect(try await waiting.value == [1, 2])
                #expect(notices.value == [.appeared])
                try path.add([3])
                #expect(try await file.next() == [3])
            }
        }

        @Test("C1: a cancelled wait loses no byte, nor does one that was cancelled before")
        func cancellation() throws {
            try inFolder { loop, folder in
                let path = folder.appending("log")
                try path.put([])
                let (file, _) = try await follow(path)
                let waiting = loop.spawn { try await file.next() }
                try await loop.waitUntilIdle()
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                let before = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    return try await file.next()
                }
                before.cancel()
                await #expect(throws: CancellationError.self) { try await before.value }
                let starting = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    return try await File.follow(path)
                }
                starting.cancel()
                await #expect(throws: CancellationError.self) { try await starting.value }
                try path.add([1])
                #expect(try await file.next() == [1])
            }
        }

        @Test("C1: cancelled at any moment while bytes come: none is lost, none comes twice")
        func cancelledAnywhere() throws {
            try inFolder(.off) { loop, folder in
                let path = folder.appending("log")
                try path.put([])
                let (file, _) = try await follow(path)
                let read = Shared<[UInt8]>([])
                for number in 0..<200 {
                    try path.add([UInt8(number)])
                    let reader = loop.spawn {
                        let bytes = try await file.next()
                        read.change { $0 += bytes }
                    }
                    for _ in 0..<number % 40 { await Task.yield() }
                    reader.cancel()
                    _ = await reader.result
                }
                while read.value.count < 200 {
                    let bytes = try await file.next()
                    read.change { $0 += bytes }
                }
                #expect(read.value == (0..<200).map { UInt8($0) })
            }
        }

        @Test("One task reads at a time; the loop's end ends its wait")
        func ends() async throws {
            let folder = try await FileSystem.makeTemporaryDirectory()
            let path = folder.appending("log")
            try path.put([])
            let loop = try EventLoop()
            let file = try await File.follow(path, on: loop)
            let waiting = Task { try await file.next() }
            try await loop.waitUntilIdle(waits: 1)
            await expect(.resourceBusy, of: path) { try await file.next() }
            await loop.shutdown()
            await expectError(.canceled) { try await waiting.value }
            await expectError(.canceled) { try await file.next() }
            await expectError(.canceled) { try await File.follow(path, on: loop) }
            try await FileSystem.remove(folder)
        }

        @Test func errors() throws {
            try inFolder { loop, folder in
                await expect(.isDirectory, of: folder) { try await File.follow(folder) }
                await expectError(.noSuchFileOrDirectory) { try await File.follow("") }
                let left = try await openHandles(of: loop)
                #expect(left == [])
            }
        }
    }
}

extension FilePath {
    /// Writes behind the file's end, without the library.
    fileprivate func add(_ bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(self, .writeOnly, options: .append)
        _ = try file.closeAfter { try file.writeAll(bytes) }
    }

    /// Makes the file empty.
    fileprivate func cut() throws { try FileDescriptor.open(self, .writeOnly, options: .truncate).close() }
}
