import Foundation

/// Work of which each step lasts long enough to be seen, found by trying: what is much for one disk is nothing for
/// another, and nothing at all in memory.
public struct SlowDisk {
    public let work: DiskWork
    /// What a step took when nothing was beside it.
    public let step: Duration
    /// Whether a step made the timer late at all. Where none of them did, the disk is too fast to show anything.
    public var isSlow: Bool { step >= Self.wanted }

    /// Some ticks of a ``TickLog``.
    private static let wanted = TickLog.interval * 4
    private static let leastSize = 64 << 20
    private static let leastSteps = 4
    private static let candidates: [(kind: DiskWork.Kind, stepSize: Int)] = [
        (.coldRead, 4 << 20), (.coldRead, 16 << 20), (.coldRead, 64 << 20), (.fsyncStorm, 16 << 20),
        (.fsyncStorm, 64 << 20),
    ]

    /// Makes a file in a directory, larger until a step takes long. ``work`` is to be removed.
    public init(in directory: String) throws {
        var last: (work: DiskWork, step: Duration)?
        for (kind, stepSize) in Self.candidates {
            last?.work.remove()
            let size = max(Self.leastSize, stepSize * Self.leastSteps)
            let work = try DiskWork(kind, size: size, stepSize: stepSize, in: directory)
            do { last = (work, try work.stepTime()) } catch {
                work.remove()
                throw error
            }
            if last!.step >= Self.wanted { break }
        }
        (work, step) = last!
    }
}

extension DiskWork {
    /// The shorter time of two steps: what came between one of them is not the disk's.
    fileprivate func stepTime() throws -> Duration {
        try makeCold()
        let file = try handle()
        defer { try? file.close() }
        return try (0..<2).map { step in
            let start = ContinuousClock.now
            try doBlocking(step, on: file)
            return ContinuousClock.now - start
        }.min()!
    }
}
