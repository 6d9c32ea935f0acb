import AsyncUV
import Measurement

/// How late a timer is that should tick every millisecond, on an idle loop and beside 64 reads in flight.
struct Ticks {
    let idle: [Double]
    let busy: [Double]

    private static let count = 2_000

    static func measure(_ samples: Samples) throws -> Ticks {
        try EventLoop.run { loop in
            let idle = try await delays(on: loop)
            FileSystem.cachedFastPath = false
            defer { FileSystem.cachedFastPath = true }
            let busy = try await File.withFile(FilePath(samples.big)) { file in
                let readers = (0..<64).map { _ in
                    loop.spawn {
                        var places = Places()
                        while !Task.isCancelled { _ = try await file.read(upTo: Samples.block, at: places.next()) }
                    }
                }
                defer { for reader in readers { reader.cancel() } }
                return try await delays(on: loop)
            }
            return Ticks(idle: idle, busy: busy)
        }
    }

    /// Milliseconds that sleeps were longer than asked for, sorted.
    private static func delays(on loop: EventLoop) async throws -> [Double] {
        var delays: [Double] = []
        for _ in 0..<count {
            let start = ContinuousClock.now
            try await loop.sleep(for: .milliseconds(1))
            delays.append((ContinuousClock.now - start) / .milliseconds(1) - 1)
        }
        return delays.sorted()
    }

    static func table(_ rounds: [Ticks]) -> Table {
        var table = Table(["delay of a 1 ms sleep", "p50 ms", "p99 ms", "p99.9 ms"])
        func row(_ name: String, _ delays: (Ticks) -> [Double]) {
            func percentile(_ part: Double) -> String {
                decimal(median(rounds.map { delays($0)[Int(Double(count) * part)] }), 3)
            }
            table.add([name, percentile(0.5), percentile(0.99), percentile(0.999)])
        }
        row("idle loop", \.idle)
        row("64 reads in flight through the pool", \.busy)
        return table
    }
}
