internal import HeapModule
internal import UV

/// The tasks that sleep on a loop: a heap over one timer.
final class Sleepers {
    final class Sleeper: Comparable {
        let deadline: Duration
        private let order: UInt64
        fileprivate(set) var pending: Wait<Void>?

        init(_ deadline: Duration, _ order: UInt64, _ pending: Wait<Void>) {
            self.deadline = deadline
            self.order = order
            self.pending = pending
        }

        static func == (left: Sleeper, right: Sleeper) -> Bool { left === right }

        static func < (left: Sleeper, right: Sleeper) -> Bool {
            left.deadline != right.deadline ? left.deadline < right.deadline : left.order < right.order
        }
    }

    private unowned let core: LoopCore
    private var heap = Heap<Sleeper>()
    private var started: UInt64 = 0
    private var cancelled = 0
    private(set) var timer: TimerHandle?
    private var armed: Duration?

    init(_ core: LoopCore) { self.core = core }

    /// Wakes the task at the deadline, or a little later; equal deadlines in the order of their start.
    func add(_ deadline: Duration, _ pending: Wait<Void>) throws(UVError) {
        started += 1
        let sleeper = Sleeper(deadline, started, pending)
        heap.insert(sleeper)
        pending.onCancel = { [unowned self] in cancel(sleeper) }
        try arm()
    }

    /// Frees what a cancelled sleep held: its place in the heap goes when half of the places are such.
    private func cancel(_ sleeper: Sleeper) {
        sleeper.pending = nil
        cancelled += 1
        guard cancelled > 64, cancelled > heap.count / 2 else { return }
        heap = Heap(heap.unordered.filter { $0.pending != nil })
        cancelled = 0
    }

    private func arm() throws(UVError) {
        guard let next = heap.min?.deadline else { return }
        if let armed, armed <= next { return }
        if timer == nil {
            timer = try TimerHandle(on: core.loop)
            timer?.isInternal = true
        }
        armed = next
        try timer?.start(after: (next - Loop.hrtime).forTimer) { [unowned self] _ in wake() }
    }

    private func wake() {
        armed = nil
        let now = Loop.hrtime
        while let first = heap.min, first.deadline <= now || first.pending == nil {
            heap.removeMin()
            guard let pending = first.pending else {
                cancelled -= 1
                continue
            }
            first.pending = nil
            pending.finish(.success(()))
        }
        // Only a closed timer cannot be started: then the loop has ended, and everything that waits with it.
        try? arm()
    }
}

extension Duration {
    /// What is left until a deadline, for a timer. Centuries are not for timers of milliseconds: a year at most.
    var forTimer: Duration { min(max(.zero, self), .seconds(31_536_000)) }
}
