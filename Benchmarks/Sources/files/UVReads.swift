import AsyncUV
import SystemPackage
import UV

/// The rows made by swift-uv.
enum UVReads {
    static func measure(_ samples: Samples, _ count: Int) throws -> [(Row, Double)] {
        let callbacks: [(Row, Double)] = try [
            (.callbackOne, PoolReader.measure(samples, depth: 1, count)),
            (.callbackEight, PoolReader.measure(samples, depth: 8, count)),
            (.callbackMany, PoolReader.measure(samples, depth: 64, count)),
        ]
        return try callbacks
            + EventLoop.run { loop in
                try await File.withFile(FilePath(samples.big)) { file in
                    var rows: [(Row, Double)] = [
                        (.cached, try await nanoseconds(count * 10) { try await read(file, count * 10) }),
                        (
                            .whole,
                            try await nanoseconds(count) {
                                for _ in 0..<count { try await readWhole(samples.small) }
                            }
                        ),
                    ]
                    FileSystem.cachedFastPath = false
                    defer { FileSystem.cachedFastPath = true }
                    for (row, depth) in [(Row.poolOne, 1), (.poolEight, 8), (.poolMany, 64)] {
                        let time = try await nanoseconds(count) {
                            try await withThrowingDiscardingTaskGroup { group in
                                for _ in 0..<depth {
                                    group.addTask { try await read(file, count / depth) }
                                }
                            }
                        }
                        rows.append((row, time))
                    }
                    let whole = try await nanoseconds(count / 4) {
                        for _ in 0..<count / 4 { try await readWhole(samples.small) }
                    }
                    return rows + [(.poolWhole, whole)]
                }
            }
    }

    private static func read(_ file: File, _ count: Int) async throws {
        var places = Places()
        for _ in 0..<count {
            let bytes = try await file.read(upTo: Samples.block, at: places.next())
            if bytes.count != Samples.block { throw Failure(description: "a short read") }
        }
    }

    private static func readWhole(_ path: String) async throws {
        let bytes = try await FileSystem.readFile(FilePath(path))
        if bytes.count != Samples.block { throw Failure(description: "a short file") }
    }
}

/// Keeps a number of reads in flight on the callback layer.
private final class PoolReader {
    private let file: FileDescriptor
    private let loop: Loop
    private var places = Places()
    private var left: Int

    private init(_ file: FileDescriptor, _ loop: Loop, _ count: Int) {
        (self.file, self.loop, left) = (file, loop, count)
    }

    static func measure(_ samples: Samples, depth: Int, _ count: Int) throws -> Double {
        let file = try FileDescriptor.open(samples.big, .readOnly)
        defer { try? file.close() }
        let loop = try Loop()
        let reader = PoolReader(file, loop, count)
        let start = ContinuousClock.now
        for _ in 0..<depth { try reader.next() }
        try loop.run()
        try loop.close()
        return (ContinuousClock.now - start) / .nanoseconds(1) / Double(count)
    }

    private func next() throws {
        guard left > 0 else { return }
        left -= 1
        try FileRequest.read(from: file, upTo: Samples.block, at: places.next(), on: loop) { _, result in
            guard case .success(let bytes) = result, bytes.count == Samples.block, (try? self.next()) != nil else {
                fatalError("a read failed: \(result)")
            }
        }
    }
}
