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
}
