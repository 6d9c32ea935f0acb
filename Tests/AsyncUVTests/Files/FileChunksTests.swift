import AsyncUV
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Chunks {
        private func collect(_ file: File, _ count: Int, from offset: Int64 = 0) async throws -> [[UInt8]] {
            var chunks: [[UInt8]] = []
            for try await chunk in file.chunks(ofCount: count, from: offset) { chunks.append(chunk) }
            return chunks
        }

        @Test(arguments: FastPath.allCases) func sizes(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                let content = pattern(10_000)
                try path.put(content)
                try await File.withFile(path) { file in
                    for count in [1, 7, 1_000, 4_096, 9_999, 10_000, 10_001, 5 << 20, .max] {
                        let chunks = try await collect(file, count)
                        #expect(chunks.flatMap { $0 } == content)
                        #expect(chunks.dropLast().allSatisfy { $0.count == count })
                    }
                    #expect(try await collect(file, 4_000, from: 5_000).map(\.count) == [4_000, 1_000])
                    #expect(try await collect(file, .max, from: 1).flatMap { $0 } == Array(content[1...]))
                    #expect(try await collect(file, 10, from: 10_000) == [])
                    #expect(try await collect(file, 10, from: 1 << 40) == [])
                    for (count, offset) in [(0, 0), (-1, 0), (.min, 0), (10, -1), (10, Int64.min)] {
                        await expectError(.invalidArgument) {
                            try await collect(file, count, from: offset)
                        }
                    }
                }
                try path.put([])
                #expect(try await File.withFile(path) { try await collect($0, 10) } == [])
            }
        }

        @Test("What is not in memory is read one piece ahead")
        func readAhead() throws {
            try inFolder(.off) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(10_000))
                try await File.withFile(path) { file in
                    var chunks = file.chunks(ofCount: 1_000).makeAsyncIterator()
                    #expect(try await chunks.next() == Array(pattern(1_000)))
                    try await restOfPool(on: loop)
                    // No thread is free, and still the next piece is there.
                    let pool = try await FullPool(on: loop)
                    #expect(try await chunks.next() == Array(pattern(2_000)[1_000...]))
                    pool.release()
                    // What was given up ends by itself: the file can be closed.
                }
            }
        }

        @Test("A file that shrinks ends early, one that grows goes on", arguments: FastPath.allCases)
        func changing(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(pattern(10_000))
                try await File.withFile(path, .readWrite) { file in
                    var chunks = file.chunks(ofCount: 4_000).makeAsyncIterator()
                    #expect(try await chunks.next()?.count == 4_000)
                    try await file.truncate(to: 4_500)
                    // The second may have been read before the cut.
                    let second = try #require(try await chunks.next())
                    #expect(second.count == 500 || second.count == 4_000)
                    #expect(try await chunks.next() == nil)
                    let end = 4_000 + second.count
                    try await file.write(pattern(10_000), at: 0)
                    #expect(try await chunks.next() == Array(pattern(10_000)[end...].prefix(4_000)))
                }
            }
        }

        @Test("C1: a reader that is cancelled between two pieces gets no more", arguments: FastPath.allCases)
        func cancelledBetween(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(100_000))
                try await File.withFile(path) { file in
                    let seen = Shared(0)
                    let reader = loop.spawn {
                        for try await _ in file.chunks(ofCount: 1_000) {
                            seen.value += 1
                            // The next piece is there by then.
                            try? await restOfPool(on: loop)
                            while !Task.isCancelled { await Task.yield() }
                        }
                    }
                    try await wait(on: loop) { seen.value > 0 }
                    reader.cancel()
                    #expect(await failure(of: reader) is CancellationError)
                    #expect(seen.value == 1)
                }
            }
        }

        @Test("Lines from a place on, in the middle of one, and behind the end", arguments: FastPath.allCases)
        func linesFromAPlace(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(Array("one\r\ntwo\nlast".utf8))
                try await File.withFile(path) { file in
                    for (offset, expected) in [
                        (0, ["one", "two", "last"]), (5, ["two", "last"]), (6, ["wo", "last"]),
                        (3, ["", "two", "last"]), (4, ["", "two", "last"]), (12, ["t"]), (13, []), (100, []),
                    ] as [(Int64, [String])] {
                        var lines: [String] = []
                        for try await line in file.lines(from: offset) { lines.append(line) }
                        #expect(lines == expected, "from \(offset)")
                        var bytes: [[UInt8]] = []
                        for try await line in file.byteLines(from: offset) { bytes.append(line) }
                        #expect(bytes == expected.map { Array($0.utf8) }, "from \(offset)")
                    }
                    await expect(.invalidArgument, of: path) { for try await _ in file.lines(from: -1) {} }
                    await expect(.messageTooLong, of: path) { for try await _ in file.lines(from: 9, limit: 3) {} }
                }
            }
        }

        private func lines(_ content: [UInt8], limit: Int = 1 << 20, _ fastPath: FastPath) throws -> [String] {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(content)
                return try await File.withFile(path) { file in
                    var lines: [String] = []
                    for try await line in file.lines(limit: limit) { lines.append(line) }
                    return lines
                }
            }
        }

        @Test(arguments: FastPath.allCases) func lines(_ fastPath: FastPath) throws {
            let text = Array("one\ntwo\r\n\n\r\nlast".utf8)
            #expect(try lines(text, fastPath) == ["one", "two", "", "", "last"])
            #expect(try lines(Array("one\n".utf8), fastPath) == ["one"])
            #expect(try lines(Array("a\rb\n\r\r\nend\r".utf8), fastPath) == ["a\rb", "\r", "end"])
            #expect(try lines([], fastPath) == [])
            #expect(try lines([10], fastPath) == [""])
            #expect(try lines([0x61, 0xff, 0x62, 10, 0xc3, 0xa9, 10], fastPath) == ["a\u{fffd}b", "é"])
        }

        @Test("C1: a reader of lines that is cancelled gets no more, also of those that are there")
        func linesAfterCancellation() throws {
            try inFolder(.on) { loop, folder in
                let path = folder.appending("file")
                try path.put([UInt8](repeating: 10, count: 10_000))
                let count = Shared(0)
                let reading = loop.spawn {
                    try await File.withFile(path) { file in
                        for try await _ in file.lines() {
                            count.value += 1
                            if count.value == 10 { unsafe withUnsafeCurrentTask { unsafe $0?.cancel() } }
                        }
                    }
                }
                #expect(await failure(of: reading) is CancellationError && count.value == 10)
            }
        }

        @Test("Whoever reads lines that are there already lets others run now and then")
        func fairLines() throws {
            try inFolder(.on) { loop, folder in
                let path = folder.appending("file")
                try path.put([UInt8](repeating: 10, count: 100_000))
                let turns = Shared(0)
                let other = loop.spawn {
                    while !Task.isCancelled {
                        turns.value += 1
                        await Task.yield()
                    }
                }
                try await File.withFile(path) { file in for try await _ in file.lines() {} }
                other.cancel()
                try await other.value
                #expect(turns.value >= 100_000 / 1_024)
            }
        }

        @Test(
            "A limit means the same to the lines of a file as to those of a stream",
            arguments: LineLimitTests.Case.lines)
        func limitOfALine(_ test: LineLimitTests.Case) throws {
            if let line = test.line {
                #expect(try lines(Array(test.text.utf8), limit: test.limit, .on).first == line)
            } else {
                expectError(.messageTooLong) {
                    try lines(Array(test.text.utf8), limit: test.limit, .on)
                }
            }
        }

        @Test(arguments: FastPath.allCases) func linesThatAreTooLong(_ fastPath: FastPath) throws {
            let fits = [UInt8](repeating: 65, count: 100)
            #expect(try lines(fits + [10] + fits, limit: 100, fastPath).map(\.count) == [100, 100])
            #expect(try lines(fits + [13, 10] + fits + [13], limit: 100, fastPath).map(\.count) == [100, 100])
            #expect(try lines(fits, limit: .max, fastPath).map(\.count) == [100])
            expectError(.messageTooLong) { try lines(fits + [13, 13, 10], limit: 100, fastPath) }
            expectError(.messageTooLong) { try lines(fits + [65, 10], limit: 100, fastPath) }
            expectError(.messageTooLong) { try lines(fits + [65], limit: 100, fastPath) }
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(fits)
                let file = try await File.open(path)
                await expect(.messageTooLong, of: path) { for try await _ in file.lines(limit: 99) {} }
                await expect(.messageTooLong, of: path) { for try await _ in file.byteLines(limit: 99) {} }
                try await file.close()
            }
            // No end in sight: given up long before the end of the file.
            expectError(.messageTooLong) {
                try lines([UInt8](repeating: 65, count: 3 << 20), fastPath)
            }
        }

        @Test("Lines across the borders of pieces, and many short ones", arguments: FastPath.allCases)
        func manyLines(_ fastPath: FastPath) throws {
            let text = (0..<30_000).map { "line \($0)" }
            #expect(try lines(Array(text.joined(separator: "\r\n").utf8), fastPath) == text)
            let count = 300_000
            #expect(try lines([UInt8](repeating: 10, count: count), fastPath).count == count)
        }
    }
}
