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

    private static func percentile(_ part: Double, of delays: [Double]) -> Double {
        delays[Int(Double(count) * part)]
    }

    static func table(_ rounds: [Ticks]) -> Table {
        var table = Table(["delay of a 1 ms sleep", "p50 ms", "p99 ms", "p99.9 ms"])
        func row(_ name: String, _ delay: (Ticks, Double) -> Double) {
            table.add([name] + [0.5, 0.99, 0.999].map { part in decimal(median(rounds.map { delay($0, part) }), 3) })
        }
        row("idle loop") { percentile($1, of: $0.idle) }
        row("64 reads in flight through the pool") { percentile($1, of: $0.busy) }
        row("above the idle loop (limit at p99.9: 2)") { percentile($1, of: $0.busy) - percentile($1, of: $0.idle) }
        return table
    }
}
