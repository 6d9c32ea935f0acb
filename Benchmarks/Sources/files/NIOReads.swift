import Foundation
import NIOCore
import NIOPosix
import _NIOFileSystem

/// The rows made by SwiftNIO's file system module, as its users have them: tasks on the global executor.
enum NIOReads {
    static func measure(_ samples: Samples, _ count: Int) throws -> [(Row, Double)] {
        try wait { try await reads(samples, count) }
    }

    /// Runs a body as a task of the global executor.
    static func wait<Value: Sendable>(for body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let done = DispatchSemaphore(value: 0)
        let result = Box<Result<Value, any Error>?>(nil)
        Task.detached {
            do { result.value = .success(try await body()) } catch { result.value = .failure(error) }
            done.signal()
        }
        done.wait()
        return try result.value!.get()
    }

    private static func reads(_ samples: Samples, _ count: Int) async throws -> [(Row, Double)] {
        let one = try await FileSystem.shared.withFileHandle(forReadingAt: FilePath(samples.big)) { file in
            var places = Places()
            return try await nanoseconds(count) {
                for _ in 0..<count {
                    let bytes = try await file.readChunk(
                        fromAbsoluteOffset: places.next(), length: .bytes(Int64(Samples.block)))
                    if bytes.readableBytes != Samples.block { throw Failure(description: "a short read") }
                }
            }
        }
        let whole = try await nanoseconds(count / 4) {
            for _ in 0..<count / 4 {
                let bytes = try await ByteBuffer(contentsOf: FilePath(samples.small), maximumSizeAllowed: .mebibytes(1))
                if bytes.readableBytes != Samples.block { throw Failure(description: "a short file") }
            }
        }
        return [(.nioOne, one), (.nioWhole, whole)]
    }
}

/// Written by one thread, then read by another.
private final class Box<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
}
