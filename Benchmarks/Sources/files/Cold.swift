import AsyncUV
import CFiles
import Foundation
import Measurement

/// A large file from the disk, not from memory: this package against `dd`, by the time that `dd` itself tells.
///
/// They take turns in going first: what one has read may be in the memory of the machine below a virtual one.
struct Cold {
    let directory: String
    let size: Int
    let rounds: Int

    func table() throws -> Table {
        let path = directory + "/swift-uv-cold-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        _ = try output(of: ["dd", "if=/dev/urandom", "of=\(path)", "bs=1M", "count=\(size)"])
        var figures: [(dd: Double, chunks: Double)] = []
        for round in 0..<rounds {
            let early = round.isMultiple(of: 2) ? nil : try chunks(path)
            let dd = try dd(path)
            figures.append((dd, try early ?? chunks(path)))
        }
        var table = Table(["cold file of \(size) MiB", "MiB/s", "of dd", "limit"])
        table.add(["dd bs=1M", decimal(Double(size) / median(figures.map(\.dd)), 0), "", ""])
        table.add([
            "file.chunks(ofCount: 1 MiB)", decimal(Double(size) / median(figures.map(\.chunks)), 0),
            decimal(median(figures.map { $0.dd / $0.chunks }), 2), "≥ 0.95",
        ])
        return table
    }

    private func dd(_ path: String) throws -> Double {
        try evict(path)
        let text = try output(of: ["sh", "-c", "LC_ALL=C dd if='\(path)' of=/dev/null bs=1M 2>&1"])
        guard let time = text.firstMatch(of: /copied, ([0-9.e-]+) s/).flatMap({ Double($0.1) }) else {
            throw Failure(description: "dd does not tell its time: \(text)")
        }
        return time
    }

    private func chunks(_ path: String) throws -> Double {
        try evict(path)
        return try seconds { try read(path) }
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
