import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    /// Readers and writers that know where they are.
    @Suite struct ReadersAndWriters {
        @Test("Bytes and lines in turn, with buffers of all sizes", arguments: [1, 3, 7, 65_536], FastPath.allCases)
        func reader(_ bufferSize: Int, _ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(Array("one\r\ntwo\n\nlast".utf8))
                let file = try await File.open(path)
                var reader = file.reader(bufferSize: bufferSize)
                #expect(try await reader.readLine() == "one")
                #expect(reader.position == 5)
                #expect(try await reader.read(upTo: 1) == Array("t".utf8))
                #expect(reader.position == 6)
                var copy = reader
                #expect(try await reader.readLine() == "wo")
                #expect(try await reader.readLine()?.isEmpty == true)
                #expect(try await reader.readLine() == "last")
                #expect(try await reader.readLine() == nil)
                #expect(try await reader.read(upTo: 10) == nil)
                #expect(reader.position == 14)
                #expect(try await copy.readLine() == "wo")
                // The file grows.
                let more = try FileHandle(forWritingTo: URL(filePath: path.string))
                try more.seekToEnd()
                try more.write(contentsOf: Array("more".utf8))
                try more.close()
                #expect(try await reader.readLine() == "more")
                var tail = file.reader(from: 10, bufferSize: bufferSize)
                await expect(.messageTooLong, of: path) { try await tail.readLine(limit: 3) }
                #expect(tail.position == 10)
                #expect(try await tail.readLine(limit: 8) == "lastmore")
                await expectError(.invalidArgument) { try await tail.read(upTo: 0) }
                try await file.close()
                await expect(.badFileDescriptor, of: path) { try await file.read(upTo: 1, at: 0) }
            }
        }

        @Test(arguments: FastPath.allCases) func wholeFile(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(pattern(300_000))
                let file = try await File.open(path)
                var reader = file.reader(bufferSize: 1_000)
                var all: [UInt8] = []
                // Smaller and larger than the buffer.
                for limit in sequence(first: 1, next: { $0 * 3 % 4_001 }) {
                    guard let bytes = try await reader.read(upTo: limit) else { break }
                    #expect(bytes.count <= limit)
                    all += bytes
                    #expect(reader.position == all.count)
                }
                let isWhole = all == pattern(300_000)
                #expect(isWhole)
                try await file.close()
            }
        }

        @Test("Lines as bytes, and bytes that are appended", arguments: [1, 3, 65_536], FastPath.allCases)
        func otherForms(_ bufferSize: Int, _ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                try path.put(Array("one\r\ntwo\n12345".utf8))
                let file = try await File.open(path)
                var reader = file.reader(bufferSize: bufferSize)
                #expect(try await reader.readLineBytes() == Array("one".utf8))
                #expect(reader.position == 5)
                await expect(.messageTooLong, of: path) { try await reader.readLineBytes(limit: 2) }
                #expect(try await reader.readLine() == "two")
                var bytes: [UInt8] = [7]
                #expect(try await reader.read(into: &bytes, upTo: 1) == 1)
                #expect(bytes == Array("\u{7}1".utf8) && reader.position == 10)
                while try await reader.read(into: &bytes) > 0 {}
                #expect(bytes == Array("\u{7}12345".utf8) && reader.position == 14)
                await expectError(.invalidArgument) { try await reader.read(into: &bytes, upTo: 0) }
                #expect(try await reader.readLineBytes() == nil)
                try await file.close()
                var late = file.reader()
                await expect(.badFileDescriptor, of: path) { try await late.read(into: &bytes) }
                #expect(bytes.count == 6)
            }
        }

        @Test("A parser is lent the buffer, until it can use a message", arguments: [1, 4, 65_536], FastPath.allCases)
        func lending(_ bufferSize: Int, _ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                // Messages of three bytes, and a rest.
                let path = folder.appending("file")
                try path.put([1, 2, 3, 4, 5, 6, 7])
                let file = try await File.open(path)
                var reader = file.reader(bufferSize: bufferSize)
                var messages: [[UInt8]] = []
                let take: (Span<UInt8>) -> (used: Int, value: [UInt8]?) = { bytes in
                    if bytes.count < 3 { return (0, nil) }
                    return (3, [UInt8](copying: bytes.extracting(first: 3)))
                }
                while messages.count < 2 {
                    if let message = try #require(try await reader.withBytes(take)) { messages.append(message) }
                }
                #expect(messages == [[1, 2, 3], [4, 5, 6]] && reader.position == 6)
                struct Stop: Error {}
                await #expect(throws: Stop.self) {
                    try await reader.withBytes { _ -> (used: Int, value: Void) in throw Stop() }
                }
                await expectError(.invalidArgument) { try await reader.withBytes { _ in (used: 2, value: ()) } }
                await expectError(.invalidArgument) { try await reader.withBytes { _ in (used: -1, value: ()) } }
                #expect(try await reader.withBytes(take) == .some(nil))
                await expect(.endOfFile, of: path) { try await reader.withBytes(take) }
                await expect(.messageTooLong, of: path) { try await reader.withBytes(limit: 1, take) }
                #expect(reader.position == 6)
                // The file grows.
                let more = try FileHandle(forWritingTo: URL(filePath: path.string))
                try more.seekToEnd()
                try more.write(contentsOf: [8, 9] as [UInt8])
                try more.close()
                var last: [UInt8]?
                while last == nil { last = try #require(try await reader.withBytes(take)) }
                #expect(last == [7, 8, 9])
                #expect(try await reader.withBytes(take) == nil)
                #expect(try await reader.read(upTo: 1) == nil)
                try await file.close()
            }
        }

        @Test("A reader without a buffer, and behind the end")
        func oddReaders() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([1])
                let file = try await File.open(path)
                var none = file.reader(bufferSize: 0)
                await expect(.invalidArgument, of: path) { try await none.readLine() }
                await expect(.invalidArgument, of: path) { try await none.withBytes { (used: $0.count, value: ()) } }
                var behind = file.reader(from: 100)
                #expect(try await behind.read(upTo: 5) == nil)
                var negative = file.reader(from: -1)
                await expectError(.invalidArgument) { try await negative.readLine() }
                try await file.close()
            }
        }

        @Test("Small pieces are written together, in order; close writes the rest", arguments: FastPath.allCases)
        func writer(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { _, folder in
                let path = folder.appending("file")
                let file = try await File.open(path, .writeOnly, options: .create)
                var writer = file.writer(at: 2, bufferSize: 10)
                try await writer.write([1, 2, 3])
                #expect(path.content == [])
                try await writer.flush()
                #expect(path.content == [0, 0, 1, 2, 3])
                try await writer.write([UInt8](repeating: 4, count: 9))
                #expect(path.content?.count == 5)
                try await writer.write("ab")
                #expect(path.content?.count == 16)
                try await writer.write([UInt8](repeating: 5, count: 20))
                #expect(path.content?.count == 36)
                try await writer.write([6])
                try await writer.close()
                #expect(path.content?.count == 37 && path.content?.last == 6)
                #expect(path.content?[14..<17] == [97, 98, 5])
            }
        }

        @Test(arguments: [1, 3, 100]) func slicesAndLentBytes(_ bufferSize: Int) throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                let file = try await File.open(path, .writeOnly, options: .create)
                var writer = file.writer(bufferSize: bufferSize)
                let bytes: [UInt8] = [0, 1, 2, 3, 4]
                try await writer.write(bytes[1..<3])
                try await writer.write(bytes.span)
                try await writer.write([])
                try await writer.write(bytes.span.extracting(droppingFirst: 4))
                try await writer.write("é")
                try await writer.close()
                #expect(path.content == [1, 2] + bytes + [4, 0xc3, 0xa9])
                await expect(.badFileDescriptor, of: path) {
                    try await writer.write(bytes[...])
                    try await writer.flush()
                }
                await expect(.badFileDescriptor, of: path) { try await writer.write(bytes.span) }
            }
        }

        @Test func appends() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([1])
                let file = try await File.open(path, .writeOnly)
                var writer = file.writer(at: nil)
                try await writer.write([2])
                try path.put([1, 1])
                try await writer.close()
                #expect(path.content == [1, 1, 2])
            }
        }

        @Test("After an error the same error comes again, and the file is closed")
        func failure() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([])
                let file = try await File.open(path)
                var writer = file.writer(bufferSize: 4)
                try await writer.write([1])
                await expect(.badFileDescriptor, of: path) { try await writer.write([1, 2, 3]) }
                await expect(.badFileDescriptor, of: path) { try await writer.write([1]) }
                await expect(.badFileDescriptor, of: path) { try await writer.flush() }
                await expect(.badFileDescriptor, of: path) { try await writer.close() }
                #expect(openFiles(in: folder).isEmpty)
            }
        }
    }
}
