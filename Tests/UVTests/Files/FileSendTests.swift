import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileSendTests {
    /// libuv 1.44.2 would wait in the thread until the peer reads.
    @Test func leavesTheThreadWhenTheSocketIsFull() throws {
        // Not a power of two: no piece is like the one before.
        let bytes = Array(repeating: (0..<65_521).map { UInt8(truncatingIfNeeded: $0 / 7) }, count: 256).flatMap(\.self)
        let path = FilePath("\(NSTemporaryDirectory())/send-\(UUID().uuidString)")
        try Data(bytes).write(to: URL(filePath: path.string))
        defer { try? FileManager.default.removeItem(atPath: path.string) }
        let file = try FileDescriptor.open(path, .readOnly)
        let (near, far) = try FileDescriptor.tcpPair()
        #expect(fcntl(near.rawValue, F_SETFL, O_NONBLOCK) == 0)
        var sent = 0, problem: UVError.Code?
        while problem == nil, sent < bytes.count {
            try withLoop { loop in
                try FileRequest.start(.send(from: file, at: Int64(sent), count: bytes.count - sent, to: near), on: loop)
                { _, result in
                    switch result {
                    case .success(let count): sent += count
                    case .failure(let error): problem = error.code
                    }
                }
                try loop.run()
            }
        }
        #expect(problem == .resourceTemporarilyUnavailable && sent > 0)
        try near.close()
        #expect(try far.readToEnd() == Array(bytes[..<sent]))
        try far.close()
        try file.close()
    }

    @Test func endsWithTheFile() throws {
        let pipe = try FileDescriptor.pipe()
        let directory = FilePath(NSTemporaryDirectory())
        let path = directory.appending("send-\(UUID().uuidString)")
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        try FileManager.default.removeItem(atPath: path.string)
        try file.writeAll("0123456789".utf8)
        var counts: [Int] = []
        try withLoop { loop in
            for offset in [0, 7, 10, 100] as [Int64] {
                try FileRequest.start(.send(from: file, at: offset, count: 5, to: pipe.writeEnd), on: loop) {
                    _, result in
                    counts.append((try? result.get()) ?? -1)
                }
                try loop.run()
            }
        }
        #expect(counts == [5, 3, 0, 0])
        try pipe.writeEnd.close()
        #expect(try String(decoding: pipe.readEnd.readToEnd(), as: UTF8.self) == "01234789")
        try pipe.readEnd.close()
        try file.close()
    }

    @Test(
        "Files of another user, whose pages nobody may count: what a thread has sent is known to be in memory",
        .enabled(if: geteuid() == 0))
    func othersFiles() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let path = try folder.file("file", pattern(count: 50_000))
                let (near, far) = try FileDescriptor.tcpPair()
                #expect(fcntl(near.rawValue, F_SETFL, O_NONBLOCK) == 0)
                try folder.opened(path) { file in
                    let identity = FileIdentity(try #require(LocalFiles.status(of: file)))
                    try withLoop { loop in
                        func send(_ count: Int, at offset: Int64) throws -> Int? {
                            try LocalFiles.send(
                                from: file, identity, named: path, at: offset, count: count, to: near, on: loop)
                        }
                        try asNobody {
                            // Older systems let everybody count.
                            guard try send(10, at: 0) == nil else { return }
                            LocalFiles.noteInMemory(20_000, of: identity, at: 100, on: loop)
                            LocalFiles.noteInMemory(1_000, of: identity, at: 20_100, on: loop)
                            LocalFiles.noteInMemory(0, of: identity, at: 30_000, on: loop)
                            LocalFiles.noteInMemory(10, of: identity, at: .max, on: loop)
                            #expect(try send(10, at: 0) == nil && send(10, at: 21_100) == nil)
                            #expect(try send(10, at: 30_000) == nil && send(10, at: .max) == 0)
                            #expect(try send(30_000, at: 100) == 21_000)
                            #expect(try send(10, at: 21_090) == 10)
                            // Another file.
                            try folder.opened("/") { other in
                                let root = FileIdentity(try #require(LocalFiles.status(of: other)))
                                let sent = try LocalFiles.send(
                                    from: file, root, named: path, at: 100, count: 10, to: near, on: loop)
                                #expect(sent == nil)
                            }
                        }
                    }
                }
                try near.close()
                let received = try far.readToEnd()
                let content = pattern(count: 50_000)
                #expect([0, 21_010].contains(received.count))
                if !received.isEmpty { #expect(received == content[100..<21_100] + content[21_090..<21_100]) }
                try far.close()
            }
        }
    }
}
