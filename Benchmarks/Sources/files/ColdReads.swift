import AsyncUV
import CFiles
import NIOCore
import NIOPosix
import SystemPackage
import UV
import _NIOFileSystem

/// Random reads of a file that is dropped from memory before each of them.
enum ColdReads {
    static func measure(_ samples: Samples, _ count: Int) throws -> [(Row, Double)] {
        guard count > 0 else { return [] }
        let (block, blocks) = (CInt(Samples.block), CInt(Samples.blocks))
        let measured: [(Row, Double)] = try [
            (.coldPread, cfiles_cold_pread(samples.cold, block, blocks, count)),
            (.coldCPool, cfiles_cold_pool(samples.cold, block, blocks, count)),
            (.coldRead, ours(samples, count)), (.coldCallback, callbacks(samples, count)),
            (.coldNIO, nio(samples, count)),
        ]
        if let failed = measured.first(where: { $0.1 < 0 }) { throw Failure(description: "\(failed.0) cannot read") }
        return measured
    }

    private static func ours(_ samples: Samples, _ count: Int) throws -> Double {
        try EventLoop.run { _ in
            try await AsyncUV.File.withFile(FilePath(samples.cold)) { file in
                try await average(samples, count) { try await file.read(upTo: Samples.block, at: $0).count }
            }
        }
    }

    private static func callbacks(_ samples: Samples, _ count: Int) throws -> Double {
        let file = try FileDescriptor.open(samples.cold, .readOnly)
        defer { try? file.close() }
        let loop = try Loop()
        var places = Places()
        var time = 0.0
        for _ in 0..<count {
            try evict(samples)
            let start = cfiles_now()
            var bytes = 0
            try FileRequest.read(from: file, upTo: Samples.block, at: places.next(), on: loop) { _, result in
                bytes = (try? result.get().count) ?? 0
            }
            try loop.run()
            time += cfiles_now() - start
            if bytes != Samples.block { throw Failure(description: "a short read") }
        }
        try loop.close()
        return time / Double(count)
    }

    private static func nio(_ samples: Samples, _ count: Int) throws -> Double {
        try NIOReads.wait {
            try await _NIOFileSystem.FileSystem.shared.withFileHandle(forReadingAt: .init(samples.cold)) { file in
                try await average(samples, count) {
                    try await file.readChunk(fromAbsoluteOffset: $0, length: .bytes(Int64(Samples.block))).readableBytes
                }
            }
        }
    }

    /// Nanoseconds of a read, without the dropping before it.
    private static func average(
        _ samples: Samples, _ count: Int, _ read: (Int64) async throws -> Int
    ) async throws -> Double {
        var places = Places()
        var time = 0.0
        for _ in 0..<count {
            try evict(samples)
            let start = cfiles_now()
            let bytes = try await read(places.next())
            time += cfiles_now() - start
            if bytes != Samples.block { throw Failure(description: "a short read") }
        }
        return time / Double(count)
    }

    private static func evict(_ samples: Samples) throws {
        let error = cfiles_evict(samples.cold)
        if error != 0 { throw Failure(description: "cannot drop \(samples.cold) from memory: errno \(error)") }
    }
}
