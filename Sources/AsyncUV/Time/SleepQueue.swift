internal import UV

/// The tasks that sleep on a loop: a heap over one timer.
final class SleepQueue {
    private unowned let core: LoopCore
    private var heap: [Sleep] = []
    private var started: UInt64 = 0
    private(set) var timer: TimerHandle?
    /// When the timer fires. Not put off when a sleep is cancelled: for one call in vain many starts are saved.
    private var armed: Duration?

    /// The most room that an empty queue keeps. What a large number of jobs has needed more is freed.
    private static let most = 4_096

    init(_ core: LoopCore) { self.core = core }

    /// Wakes the task at the deadline, or a little later; equal deadlines in the order of their start.
    func add(_ sleep: Sleep) throws(UVError) {
        try arm(for: sleep.deadline)
        started += 1
        sleep.number = started
        heap.append(sleep)
        moveUp(sleep, from: heap.count - 1)
    }

    /// Takes out a sleep that is in the queue.
    func remove(_ sleep: Sleep) {
        let last = heap.removeLast()
        if last !== sleep {
            moveUp(last, from: sleep.place)
            moveDown(last, from: last.place)
        }
        if heap.isEmpty, heap.capacity > Self.most { heap = [] }
    }

    private func moveUp(_ sleep: Sleep, from start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard sleep.isBefore(heap[parent]) else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(sleep, at: place)
    }

    private func moveDown(_ sleep: Sleep, from start: Int) {
        var place = start
        while 2 * place + 1 < heap.count {
            var child = 2 * place + 1
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(sleep) else { break }
            put(heap[child], at: place)
            place = child
        }
        put(sleep, at: place)
    }

    private func put(_ sleep: Sleep, at place: Int) {
        heap[place] = sleep
        sleep.place = place
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
            first.finish(.success(()))
        }
        // Only a closed timer cannot be started: then the loop has ended, and everything that waits with it.
        if let next = heap.first { try? arm(for: next.deadline) }
    }
}

extension Duration {
    /// What is left until a deadline, for a timer. Centuries are not for timers of milliseconds: a year at most.
    var forTimer: Duration { min(max(.zero, self), .seconds(31_536_000)) }
}
