/// A queue of jobs that allocates only when it grows.
@safe
struct JobRing: ~Copyable {
    struct Entry {
        let job: UnownedJob
        /// Whether it came through the door for actors.
        let isActor: Bool
    }

    private var entries: UnsafeMutablePointer<Entry>
    private var mask: Int
    private var head = 0
    private var tail = 0

    init() {
        unsafe entries = .allocate(capacity: 64)
        mask = 63
    }

    deinit { unsafe entries.deallocate() }

    var isEmpty: Bool { head == tail }
    var count: Int { tail &- head }

    @inline(__always)
    mutating func append(_ entry: Entry) {
        if tail &- head > mask { grow() }
        unsafe (entries + (tail & mask)).initialize(to: entry)
        tail &+= 1
    }

    @inline(__always)
    mutating func popFirst() -> Entry? {
        guard head != tail else { return nil }
        defer { head &+= 1 }
        return unsafe entries[head & mask]
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Entry>.allocate(capacity: 2 * (mask + 1))
        let count = count
        for index in 0..<count { unsafe (larger + index).initialize(to: entries[(head &+ index) & mask]) }
        unsafe entries.deallocate()
        unsafe entries = larger
        mask = 2 * mask + 1
        head = 0
        tail = count
    }
}
