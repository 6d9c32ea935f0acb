import AsyncUV
import CFiles
import Foundation
import Measurement

/// A large file from the disk, not from memory: this package against `dd`.
struct Cold {
    let directory: String
    let size: Int
    let rounds: Int

    func table() throws -> Table {
        let path = directory + "/swift-uv-cold-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try output(of: ["dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=\(size)"])
        var figures: [(dd: Double, chunks: Double)] = []
        for _ in 0..<rounds {
            try evict(path)
            let dd = try seconds { _ = try output(of: ["dd", "if=\(path)", "of=/dev/null", "bs=1M"]) }
            try evict(path)
            figures.append((dd, try seconds { try read(path) }))
        }
        var table = Table(["cold file of \(size) MiB", "MiB/s", "of dd", "limit"])
        table.add(["dd bs=1M", decimal(Double(size) / median(figures.map(\.dd)), 0), "", ""])
        table.add([
            "file.chunks(ofCount: 1 MiB)", decimal(Double(size) / median(figures.map(\.chunks)), 0),
            decimal(median(figures.map { $0.dd / $0.chunks }), 2), "≥ 0.95",
        ])
        return table
    }

    private func read(_ path: String) throws {
        let expected = size << 20
        try EventLoop.run { _ in
            try await File.withFile(FilePath(path)) { file in
                var count = 0
                for try await chunk in file.chunks(ofCount: 1 << 20) { count += chunk.count }
                if count != expected { throw Failure(description: "\(count) bytes instead of \(expected)") }
            }
        }
    }

    private func evict(_ path: String) throws {
        let error = cfiles_evict(path)
        if error != 0 { throw Failure(description: "cannot drop \(path) from memory: errno \(error)") }
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
