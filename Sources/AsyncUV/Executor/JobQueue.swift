/// A queue of jobs that allocates only when it grows.
@safe
final class JobQueue {
    /// What waits, with the way in which it must be run.
    @safe
    enum Entry {
        /// A job of a task that prefers the loop.
        case task(UnownedJob)
        /// A job of an actor on the loop.
        case actor(UnownedJob)
        /// A job of both: such a task in such an actor.
        case taskInActor(UnownedJob)
        /// A job of the main actor, on a loop that is its executor.
        case main(UnownedJob)
        /// The same of a task that prefers the loop.
        case taskInMain(UnownedJob)
        /// A job of a task that prefers no executor, on a loop that runs those.
        case anywhere(UnownedJob)
        /// Not a job yet, but the place of a task that gives way. Resumed, it becomes a job, where its executor wants it.
        case place(UnsafeContinuation<Void, Never>)
        /// The same of a wait that was over before its task was suspended.
        case wait(Suspension<Void>)
    }

    @exclusivity(unchecked) private var entries: UnsafeMutablePointer<Entry>
    @exclusivity(unchecked) private var mask: Int
    @exclusivity(unchecked) private var head = 0
    @exclusivity(unchecked) private var tail = 0

    private static let least = 64
    /// The most room that an empty queue keeps. What a large number of jobs has needed more is freed.
    static let most = 4_096

    init() {
        unsafe entries = .allocate(capacity: Self.least)
        unsafe mask = Self.least - 1
    }

    deinit { unsafe entries.deallocate() }

    var isEmpty: Bool { unsafe head == tail }
    var count: Int { unsafe tail &- head }

    @inline(__always)
    func append(_ entry: Entry) {
        if unsafe tail &- head > mask { grow() }
        unsafe (entries + (tail & mask)).initialize(to: entry)
        unsafe tail &+= 1
    }

    @inline(__always)
    func popFirst() -> Entry? {
        guard unsafe head != tail else { return nil }
        defer { unsafe head &+= 1 }
        return unsafe entries[head & mask]
    }

    /// The entry that was appended last.
    func popLast() -> Entry? {
        guard unsafe head != tail else { return nil }
        unsafe tail &-= 1
        return unsafe entries[tail & mask]
    }

    /// Makes another entry the first one, which takes its place.
    ///
    /// - Parameter index: Counted from the first.
    func bringForward(_ index: Int) {
        guard index > 0 else { return }
        let (first, other) = unsafe (head & mask, (head &+ index) & mask)
        let entry = unsafe entries[first]
        unsafe entries[first] = entries[other]
        unsafe entries[other] = entry
    }

    /// Frees room that a large number of jobs has needed. To be called on an empty queue.
    func forgetRoom() {
        guard isEmpty, unsafe mask >= Self.most else { return }
        unsafe entries.deallocate()
        unsafe entries = .allocate(capacity: Self.least)
        unsafe mask = Self.least - 1
    }

    private func grow() {
        let larger = unsafe UnsafeMutablePointer<Entry>.allocate(capacity: 2 * (mask + 1))
        let count = count
        for index in 0..<count { unsafe (larger + index).initialize(to: entries[(head &+ index) & mask]) }
        unsafe entries.deallocate()
        unsafe entries = larger
        unsafe mask = unsafe 2 * mask + 1
        unsafe head = 0
        unsafe tail = count
    }
}
