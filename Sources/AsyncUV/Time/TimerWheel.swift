/// Entries in the order of their deadlines, however many: each comes and goes in the same short time.
///
/// Time is cut into ticks. A level has 64 slots, and a slot of the lowest level is a tick; a slot of each other level is as
/// long as all of the level below. An entry is in a slot of the lowest level on which its tick is in another slot than the
/// present is. When the present comes to a slot of a higher level, its entries move to lower ones. So an entry moves seldom, and no
/// slot without entries is looked at: each level has a bit for each slot that has some.
///
/// All entries with one tick are in one slot, in the order in which they came. What is due in the end is sorted by
/// deadline, which leaves equal deadlines in this order.
@safe
final class TimerWheel {
    /// How long a tick is.
    enum Resolution {
        case millisecond
        case microsecond
    }

    /// The list of the entries in a slot.
    @safe
    private struct Slot {
        unowned(unsafe) var first: TimerEntry?
        unowned(unsafe) var last: TimerEntry?
    }

    @safe
    private struct Level {
        /// Made when the level has its first entry: a loop whose sleeps are short needs few.
        var slots: UnsafeMutablePointer<Slot>?
        /// A bit for each slot that has entries.
        var occupied: UInt64 = 0
    }

    /// An entry that is between two places.
    @safe
    private struct Moving {
        let time: Int64
        unowned(unsafe) let entry: TimerEntry
    }

    /// 9 levels of 64 slots have room for all microseconds of three centuries.
    private static let count = 9
    /// A level with one slot for what is due and has not been taken yet.
    private static let due = count

    private let isCoarse: Bool
    private let levels: UnsafeMutablePointer<Level>
    /// A bit for each level that has entries.
    @exclusivity(unchecked) private var occupied: UInt64 = 0
    /// The last tick that is over, as far as was told.
    @exclusivity(unchecked) private(set) var elapsed: Int64 = 0

    init(_ resolution: Resolution) {
        isCoarse = resolution == .millisecond
        unsafe levels = .allocate(capacity: Self.count + 1)
        unsafe levels.initialize(repeating: Level(), count: Self.count + 1)
    }

    deinit {
        removeAll()
        for level in 0...Self.count { unsafe levels[level].slots?.deallocate() }
        unsafe levels.deallocate()
    }

    var isEmpty: Bool { unsafe occupied == 0 }

    // MARK: Entries

    /// Takes an entry and keeps it until it is removed or due.
    ///
    /// - Returns: The tick in which it is due: the next one at the earliest.
    @inline(__always)
    func insert(_ entry: TimerEntry) -> Int64 {
        _ = unsafe Unmanaged.passRetained(entry)
        return link(entry)
    }

    /// Lets an entry go, if it is there.
    @inline(__always)
    func remove(_ entry: TimerEntry) {
        if entry.isQueued { unsafe unlink(entry).release() }
    }

    /// Lets all entries go.
    func removeAll() {
        for level in 0...Self.count {
            while unsafe levels[level].occupied != 0 {
                let slot = unsafe levels[level].slots.unsafelyUnwrapped + levels[level].occupied.trailingZeroBitCount
                while let entry = unsafe slot.pointee.first { remove(entry) }
            }
        }
    }

    @inline(__always)
    private func link(_ entry: TimerEntry) -> Int64 {
        let tick = unsafe max(self.tick(of: entry), elapsed + 1)
        let level = unsafe (63 - (tick ^ elapsed).leadingZeroBitCount) / 6
        append(entry, to: level, Int(truncatingIfNeeded: tick >> (6 * level)) & 63)
        return tick
    }

    @inline(__always)
    private func append(_ entry: TimerEntry, to level: Int, _ index: Int) {
        let slot = unsafe (levels[level].slots ?? makeSlots(of: level)) + index
        entry.place = Int16(truncatingIfNeeded: level << 6 | index)
        unsafe entry.next = nil
        if let last = unsafe slot.pointee.last {
            unsafe entry.before = last
            unsafe last.next = entry
        } else {
            unsafe entry.before = nil
            unsafe slot.pointee.first = entry
            unsafe levels[level].occupied |= 1 << UInt64(index)
            unsafe occupied |= 1 << UInt64(level)
        }
        unsafe slot.pointee.last = entry
    }

    /// Takes an entry out of its list.
    @inline(__always)
    private func unlink(_ entry: TimerEntry) -> Unmanaged<TimerEntry> {
        let (level, index) = (Int(entry.place) >> 6, Int(entry.place) & 63)
        let slot = unsafe levels[level].slots.unsafelyUnwrapped + index
        let (before, next) = unsafe (entry.before, entry.next)
        if let before { unsafe before.next = next } else { unsafe slot.pointee.first = next }
        if let next { unsafe next.before = before } else { unsafe slot.pointee.last = before }
        entry.place = -1
        if before == nil, next == nil { forget(level, index) }
        return unsafe Unmanaged.passUnretained(entry)
    }

    /// Clears the bits of a slot that has no entries any more.
    @inline(__always)
    private func forget(_ level: Int, _ index: Int) {
        unsafe levels[level].occupied &= ~(1 << UInt64(index))
        if unsafe levels[level].occupied == 0 { unsafe occupied &= ~(1 << UInt64(level)) }
    }

    @inline(never)
    private func makeSlots(of level: Int) -> UnsafeMutablePointer<Slot> {
        let count = level == Self.due ? 1 : 64
        let slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        unsafe slots.initialize(repeating: Slot(), count: count)
        unsafe levels[level].slots = slots
        return unsafe slots
    }

    // MARK: Time

    /// The tick at whose end an entry is due.
    @inline(__always)
    private func tick(of entry: TimerEntry) -> Int64 {
        let time = max(entry.time, 1) - 1
        return 1 + (isCoarse ? time / 1_000_000 : time / 1_000)
    }

    /// The time at which a tick is due, in nanoseconds.
    func time(of tick: Int64) -> Int64 {
        let (time, isTooLarge) = tick.multipliedReportingOverflow(by: isCoarse ? 1_000_000 : 1_000)
        return isTooLarge ? .max : time
    }

    /// Makes everything due that has its deadline until now, in nanoseconds. A clock that went back changes nothing.
    func advance(to now: Int64) {
        let present = isCoarse ? now / 1_000_000 : now / 1_000
        guard unsafe present > elapsed else { return }
        var isSorted = true
        while let (level, index) = firstSlot {
            let start = start(of: level, index)
            if start > present { break }
            // Later slots of this level, and all higher ones, begin after this one's end.
            unsafe elapsed = min(present, start + (1 << (6 * level)) - 1)
            isSorted = clear(level, index, present) && isSorted
        }
        unsafe elapsed = present
        if !isSorted { sortDue() }
    }

    /// The first of what is due, which leaves the wheel.
    func popDue() -> TimerEntry? {
        guard let first = unsafe levels[Self.due].slots?.pointee.first else { return nil }
        return unsafe unlink(first).takeRetainedValue()
    }

    /// The tick in which the wheel wants to hear of the time; `nil` when it is empty. A tick without due entries is among them
    /// when a slot with several entries begins, whose first is not known.
    var nextTick: Int64? {
        guard let (level, index) = firstSlot else { return nil }
        let slot = unsafe levels[level].slots.unsafelyUnwrapped + index
        let start = start(of: level, index)
        guard level > 0, let first = unsafe slot.pointee.first, unsafe first === slot.pointee.last else { return start }
        // An entry whose deadline had passed when it came is in a later slot than its own.
        return max(start, tick(of: first))
    }

    private var firstSlot: (level: Int, index: Int)? {
        let waiting = unsafe occupied & ~(1 << UInt64(Self.due))
        guard waiting != 0 else { return nil }
        let level = waiting.trailingZeroBitCount
        return unsafe (level, levels[level].occupied.trailingZeroBitCount)
    }

    /// The first tick of a slot.
    private func start(of level: Int, _ index: Int) -> Int64 {
        let shift = 6 * level
        return unsafe (elapsed >> (shift + 6)) << (shift + 6) | Int64(index) << shift
    }

    /// Moves the entries of a slot to lower ones, or to what is due.
    ///
    /// - Returns: Whether what is due is still in order.
    private func clear(_ level: Int, _ index: Int, _ present: Int64) -> Bool {
        let slot = unsafe levels[level].slots.unsafelyUnwrapped + index
        var entry = unsafe slot.pointee.first
        unsafe slot.pointee = Slot()
        forget(level, index)
        var isSorted = true
        while let moving = entry {
            unsafe entry = moving.next
            if tick(of: moving) <= present {
                let last = unsafe levels[Self.due].slots?.pointee.last
                if let last, last.time > moving.time { isSorted = false }
                append(moving, to: Self.due, 0)
            } else {
                _ = link(moving)
            }
        }
        return isSorted
    }

    /// Sorts what is due, with equal deadlines as they are.
    private func sortDue() {
        guard let slot = unsafe levels[Self.due].slots else { return }
        var moving: [Moving] = []
        var entry = unsafe slot.pointee.first
        while let next = entry {
            moving.append(Moving(time: next.time, entry: next))
            unsafe entry = next.next
        }
        moving.sort { $0.time < $1.time }
        unsafe slot.pointee = Slot()
        for moving in moving { unsafe append(moving.entry, to: Self.due, 0) }
    }
}
