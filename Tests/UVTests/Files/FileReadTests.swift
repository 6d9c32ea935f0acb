import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileReadTests {
    @Test("Reads at an offset, at the position, into an array, into several; short at the end, empty behind it")
    func reads() throws {
        try withFolder { folder in
            let bytes = pattern(count: 10_000)
            let path = try folder.file("file", bytes)
            let file = try done { try FileRequest.start(.open(path, .readOnly), on: $0, onDone: $1) }
            #expect(fcntl(file.rawValue, F_GETFD) & FD_CLOEXEC != 0)
            try #expect(
                done { try FileRequest.read(from: file, upTo: 100, at: 50, on: $0, onDone: $1) } == bytes[50..<150])
            try #expect(
                done { try FileRequest.read(from: file, upTo: 100, at: nil, on: $0, onDone: $1) } == bytes[..<100])
            try #expect(
                done { try FileRequest.read(from: file, upTo: 100, at: nil, on: $0, onDone: $1) } == bytes[100..<200])
            try #expect(
                done { try FileRequest.read(from: file, upTo: 100, at: 9_950, on: $0, onDone: $1) } == bytes[9_950...])
            try #expect(done { try FileRequest.read(from: file, upTo: 1, at: 10_000, on: $0, onDone: $1) }.isEmpty)
            try #expect(done { try FileRequest.read(from: file, upTo: 1, at: .max - 1, on: $0, onDone: $1) }.isEmpty)

            let own = [UInt8](repeating: 7, count: 300)
            let read = try done { try FileRequest.read(from: file, into: own, at: 9_900, on: $0, onDone: $1) }
            #expect(read.count == 100 && read.buffer.count == 300)
            #expect(read.buffer[..<100] == bytes[9_900...] && read.buffer[100...].allSatisfy { $0 == 7 })

            let parts = try done {
                try FileRequest.start(.read(from: file, counts: [3, 0, 5], at: 9_996), on: $0, onDone: $1)
            }
            #expect(parts == [Array(bytes[9_996..<9_999]), [], [bytes[9_999]]])
            try done { try FileRequest.start(.close(file), on: $0, onDone: $1) }
        }
    }

    @Test("B1: a read of nothing gives nothing")
    func nothing() throws {
        try withFolder { folder in
            try folder.opened(folder.file("file", [1, 2, 3])) { file in
                try #expect(done { try FileRequest.read(from: file, upTo: 0, at: 0, on: $0, onDone: $1) }.isEmpty)
                try #expect(done { try FileRequest.read(from: file, into: [], at: 0, on: $0, onDone: $1) }.count == 0)
                try #expect(
                    done { try FileRequest.start(.read(from: file, counts: [], at: 0), on: $0, onDone: $1) }.isEmpty)
                try #expect(
                    done { try FileRequest.start(.read(from: file, counts: [0, 0], at: 0), on: $0, onDone: $1) } == [
                        [], [],
                    ])
            }
            try folder.opened(folder.file("empty")) { file in
                try #expect(done { try FileRequest.read(from: file, upTo: 10, at: 0, on: $0, onDone: $1) }.isEmpty)
            }
        }
    }

    @Test("B2: negative offsets and counts are refused before anything starts")
    func negative() throws {
        let loop = try Loop()
        let file = FileDescriptor.standardInput
        expect(.invalidArgument, of: "offset -2") {
            try FileRequest.read(from: file, upTo: 1, at: -2, on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "count -1") {
            try FileRequest.read(from: file, upTo: -1, at: 0, on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "offset -1") {
            try FileRequest.read(from: file, into: [1], at: -1, on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "count -1") {
            try FileRequest.start(.read(from: file, counts: [1, -1], at: 0), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "read") {
            try FileRequest.start(.read(from: file, counts: [.max, .max], at: 0), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "read") {
            try FileRequest.start(.read(from: file, counts: [.max], at: 0), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "offset -2") {
            try FileRequest.start(.write([1], to: file, at: -2), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "offset -2") {
            try FileRequest.start(.writeAll([1], to: file, at: -2), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "size -1") { try FileRequest.start(.truncate(file, to: -1), on: loop) { _, _ in } }
        expect(.invalidArgument, of: "offset -1") {
            try FileRequest.start(.send(from: file, at: -1, count: 1, to: file), on: loop) { _, _ in }
        }
        expect(.invalidArgument, of: "count -1") {
            try FileRequest.start(.send(from: file, at: 0, count: -1, to: file), on: loop) { _, _ in }
        }
        #expect(!loop.isAlive)
        try loop.close()
    }

    @Test("B2: a huge limit makes no huge array")
    func hugeLimit() throws {
        try withFolder { folder in
            try folder.opened(folder.file("file", [1, 2, 3])) { file in
                for limit in [Int.max, 1 << 40] {
                    let bytes = try done { try FileRequest.read(from: file, upTo: limit, at: 0, on: $0, onDone: $1) }
                    #expect(bytes == [1, 2, 3] && bytes.capacity < 4 << 20)
                }
            }
        }
    }

    @Test("F2: the errors of reading, with the descriptor in their text")
    func errors() throws {
        try withFolder { folder in
            try folder.opened(folder.path) { directory in
                expect(.isDirectory, of: "descriptor \(directory.rawValue)") {
                    try done { try FileRequest.read(from: directory, upTo: 10, at: 0, on: $0, onDone: $1) }
                }
                expect(.isDirectory, of: "descriptor \(directory.rawValue)") {
                    try done { try FileRequest.start(.read(from: directory, counts: [10], at: 0), on: $0, onDone: $1) }
                }
            }
            try folder.opened(folder.file("file"), .writeOnly) { file in
                expect(.badFileDescriptor, of: "descriptor \(file.rawValue)") {
                    try done { try FileRequest.read(from: file, upTo: 10, at: 0, on: $0, onDone: $1) }
                }
            }
            let none = FileDescriptor(rawValue: 1_000_000)
            expect(.badFileDescriptor, of: "close of descriptor 1000000") {
                try done { try FileRequest.start(.close(none), on: $0, onDone: $1) }
            }
            expect(.badFileDescriptor, of: "descriptor 1000000") {
                try done { try FileRequest.read(from: none, into: [1], at: nil, on: $0, onDone: $1) }
            }
        }
    }

    @Test("A file that is cut while it is read ends early, without an error")
    func truncatedMeanwhile() throws {
        try withFolder { folder in
            let path = try folder.file("file", pattern(count: 200_000))
            var got: [UInt8] = []
            try folder.opened(path) { file in
                try withLoop { loop in
                    func readOn() throws {
                        try FileRequest.read(from: file, upTo: 50_000, at: Int64(got.count), on: loop) { _, result in
                            let bytes = try! result.get()
                            if bytes.isEmpty { return }
                            got += bytes
                            if got.count == 100_000 { unsafe #expect(truncate(path.string, 120_000) == 0) }
                            try! readOn()
                        }
                    }
                    try readOn()
                }
            }
            #expect(areEqual(got, pattern(count: 120_000)))
        }
    }

    @Test("F2: pseudo-files are read to their end, whatever their size says")
    func pseudoFile() throws {
        let file = try done { try FileRequest.start(.open("/proc/self/status", .readOnly), on: $0, onDone: $1) }
        try #expect(done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) }.size == 0)
        let text = try done { try FileRequest.read(from: file, upTo: .max, at: 0, on: $0, onDone: $1) }
        #expect(String(decoding: text, as: UTF8.self).contains("VmRSS"))
        try done { try FileRequest.start(.close(file), on: $0, onDone: $1) }
    }

    @Test("Requests of one loop go on side by side, each ends once")
    func manyAtOnce() throws {
        try withFolder { folder in
            let bytes = pattern(count: 64_000)
            var ended = 0
            try folder.opened(folder.file("file", bytes)) { file in
                try withLoop { loop in
                    for index in 0..<1_000 {
                        try FileRequest.read(from: file, upTo: 64, at: Int64(index * 64), on: loop) { _, result in
                            #expect(try! result.get() == bytes[(index * 64)...].prefix(64))
                            ended += 1
                        }
                    }
                }
            }
            #expect(ended == 1_000)
        }
    }
}
