internal import UV

/// The entries that wait for their time on a loop, tasks that sleep among them: a heap over one timer.
final class SleepQueue {
    private unowned let core: LoopCore
    private var heap: [TimerEntry] = []
    private var started: UInt64 = 0
    private(set) var timer: TimerHandle?
    /// When the timer fires. Not put off when a sleep is cancelled: for one call in vain many starts are saved.
    private var armed: Duration?

    /// The most room that an empty queue keeps. What a large number of jobs has needed more is freed.
    private static let most = 4_096

    init(_ core: LoopCore) { self.core = core }

    /// Calls the entry at its deadline, or a little later; equal deadlines in the order of their start.
    func add(_ entry: TimerEntry) throws(UVError) {
        try arm(for: entry.deadline)
        started += 1
        entry.number = started
        heap.append(entry)
        moveUp(entry, from: heap.count - 1)
    }

    /// Takes out an entry that is in the queue.
    func remove(_ entry: TimerEntry) {
        let last = heap.removeLast()
        if last !== entry {
            moveUp(last, from: entry.place)
            moveDown(last, from: last.place)
        }
        entry.place = -1
        if heap.isEmpty, heap.capacity > Self.most { heap = [] }
    }

    private func moveUp(_ entry: TimerEntry, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.isBefore(heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    private func moveDown(_ entry: TimerEntry, from start: Int) {
        var place = start
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(entry) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private func put(_ entry: TimerEntry, at place: Int) {
        heap[place] = entry
        entry.place = place
    }

    private func arm(for deadline: Duration) throws(UVError) {
        if let armed, armed <= deadline { return }
        if timer == nil {
            timer = try TimerHandle(on: core.loop)
            timer?.isInternal = true
        }
        try timer?.start(after: (deadline - Loop.hrtime).forTimer) { [unowned self] _ in wake() }
        armed = deadline
    }

    private func wake() {
        armed = nil
        let now = Loop.hrtime
        while let first = heap.first, first.deadline <= now {
            remove(first)
            first.fire()
        }
        // Only a closed timer cannot be started: then the loop has ended, and everything that waits with it.
        if let next = heap.first { try? arm(for: next.deadline) }
    }
}

extension Duration {
    /// What is left until a deadline, for a timer. Centuries are not for timers of milliseconds: a year at most.
    var forTimer: Duration { min(max(.zero, self), .seconds(31_536_000)) }
}
