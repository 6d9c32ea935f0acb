import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Lengths and offsets that do not fit into an `int`, which libuv returns.
@Suite(.ownThread, .serialized) struct FileLengthTests {
    static let sizes = [1 << 31 - 4_096, 1 << 31 - 1, 1 << 31, 1 << 31 + 1, 1 << 32 - 1, 1 << 32, 1 << 32 + 1]

    /// Bytes of memory that nobody looks at, so that there is none.
    static func bytes(_ count: Int) -> [UInt8] { unsafe [UInt8](unsafeUninitializedCapacity: count) { $1 = count } }

    @Test("Writes of about 2 and 4 GiB, to a device that takes all of them", arguments: sizes)
    func writes(_ size: Int) throws {
        let bytes = Self.bytes(size)
        let file = unsafe try FileDescriptor.open("/dev/null", .writeOnly)
        try file.closeAfter {
            try #expect(done { try FileRequest.start(.write(bytes, to: file, at: 0), on: $0, onDone: $1) } == size)
            try #expect(done { try FileRequest.start(.write(bytes, to: file, at: nil), on: $0, onDone: $1) } == size)
            let parts = [bytes, [1, 2, 3], bytes]
            try #expect(
                done { try FileRequest.start(.write(contentsOf: parts, to: file, at: 0), on: $0, onDone: $1) } == 2
                    * size + 3)
            try done { try FileRequest.start(.writeAll(bytes, to: file, at: 0), on: $0, onDone: $1) }
            try done { try FileRequest.start(.writeAll(bytes, to: file, at: nil), on: $0, onDone: $1) }
        }
        try done { try FileRequest.start(.writeFile("/dev/null", bytes), on: $0, onDone: $1) }
    }

    @Test("Reads at such places, and of no more than there is", arguments: sizes)
    func reads(_ size: Int) throws {
        try withFolder { folder in
            let path = try folder.file("file")
            let file = try FileDescriptor.open(path, .readWrite)
            try file.closeAfter {
                try done { try FileRequest.start(.truncate(file, to: Int64(size)), on: $0, onDone: $1) }
                _ = try done { try FileRequest.start(.write([1, 2], to: file, at: Int64(size)), on: $0, onDone: $1) }
                let start = Int64(size) - 1
                for limit in [4, 1 << 31, 1 << 32, .max] {
                    let read = try done { try FileRequest.read(from: file, upTo: limit, at: start, on: $0, onDone: $1) }
                    #expect(read == [0, 1, 2])
                }
                let none = try done { try FileRequest.read(from: file, upTo: .max, at: 1 << 40, on: $0, onDone: $1) }
                #expect(none.isEmpty)
                let null = unsafe try FileDescriptor.open("/dev/null", .writeOnly)
                try null.closeAfter {
                    let sent = try done {
                        try FileRequest.start(.send(from: file, at: start, count: size, to: null), on: $0, onDone: $1)
                    }
                    #expect(sent == 3)
                }
            }
            try #expect(done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }.size == Int64(size) + 2)
        }
    }

    /// Takes up to 6 GiB of memory, so it is not in the usual run.
    @Test(
        "Whole files and reads of more than 2 GiB",
        .enabled(if: ProcessInfo.processInfo.environment["SWIFT_UV_LARGE_TESTS"] != nil))
    func large() throws {
        try withFolder { folder in
            let size = 1 << 31 + 5
            let path = try folder.file("file")
            try folder.opened(path, .readWrite) { file in
                try #expect(
                    done { try FileRequest.start(.write([9], to: file, at: Int64(size - 1)), on: $0, onDone: $1) } == 1)
                let most = 1 << 31 - 4_096
                let read = try done { try FileRequest.read(from: file, upTo: size, at: 0, on: $0, onDone: $1) }
                #expect(read.count == most, "no system reads more at once")
                let buffer = Self.bytes(size)
                try #expect(
                    done { try FileRequest.read(from: file, into: buffer, at: 1, on: $0, onDone: $1) }.count == most)
            }
            let whole = try done { try FileRequest.start(.readFile(path, limit: 1 << 32), on: $0, onDone: $1) }
            #expect(whole.count == size && whole.last == 9)
            try done { try FileRequest.start(.writeFile(folder("copy"), whole, durably: false), on: $0, onDone: $1) }
            try #expect(
                done { try FileRequest.start(.status(of: folder("copy")), on: $0, onDone: $1) }.size == Int64(size))
        }
    }
}
