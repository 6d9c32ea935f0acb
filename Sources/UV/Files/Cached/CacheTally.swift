internal import Synchronization

/// How often a loop asked the page cache. Only its thread writes, so that loops do not fight for a cache line.
final class CacheTally {
    private final class Counts: Sendable {
        let hits = Atomic<Int>(0)
        let misses = Atomic<Int>(0)

        var value: PageCache.Counters {
            PageCache.Counters(hits: hits.load(ordering: .relaxed), misses: misses.load(ordering: .relaxed))
        }
    }

    private struct Known: Sendable {
        var counts: [ObjectIdentifier: Counts] = [:]
        /// Of loops that are gone.
        var past = PageCache.Counters(hits: 0, misses: 0)
    }

    private static let known = Mutex(Known())
    private let counts = Counts()

    init() { Self.known.withLock { $0.counts[ObjectIdentifier(counts)] = counts } }

    deinit {
        Self.known.withLock { known in
            known.counts[ObjectIdentifier(counts)] = nil
            known.past += counts.value
        }
    }

    func hit() { counts.hits.store(counts.hits.load(ordering: .relaxed) + 1, ordering: .relaxed) }

    func missed() { counts.misses.store(counts.misses.load(ordering: .relaxed) + 1, ordering: .relaxed) }

    /// Of all loops of the process.
    static var total: PageCache.Counters {
        known.withLock { known in known.counts.values.reduce(into: known.past) { $0 += $1.value } }
    }
}

extension PageCache.Counters {
    fileprivate static func += (total: inout Self, more: Self) {
        total.hits += more.hits
        total.misses += more.misses
    }
}
