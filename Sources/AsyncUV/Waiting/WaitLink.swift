/// A link of the list of everything that waits on a loop, so that a loop that ends leaves nobody waiting.
///
/// Each link owns the following one; `preceding` is unowned. A link removes itself before it is freed, so `preceding` never
/// dangles. Every link may have a deadline, too: a sleep is a link and its entry in the queue of timers in one object.
class WaitLink: TimerEntry {
    private var following: WaitLink?
    private unowned(unsafe) var preceding: WaitLink?

    /// Where it waits, for a cancellation that comes from another thread.
    final unowned(unsafe) var loop: EventLoop?

    final let operation: StaticString

    init(_ operation: StaticString) {
        self.operation = operation
        super.init()
    }

    /// The number of the task that is suspended in the wait; 0 if nobody knows it.
    var waitingTask: UInt { 0 }

    /// Whom it waits for, such as "from 192.0.2.1:80". On the loop's thread.
    var partner: String? { nil }

    /// Ends the wait with an error.
    func give(up error: any Error) {}

    /// Called on the thread that cancels the waiting task, as soon as it does. The loop's thread may be in any of the other
    /// methods at the time.
    func taskWasCancelled(on loop: EventLoop) {
        UnderWay.note(operation, loop.isCurrent ? partner : nil)
        let bound = LoopBound(self)
        loop.post { bound.open(on: loop).give(up: CancellationError()) }
    }

    /// Joins the list behind this link, its head.
    final func insert(_ link: WaitLink) {
        link.following = following
        unsafe link.preceding = self
        unsafe following?.preceding = link
        following = link
    }

    final func unlink() {
        unsafe preceding?.following = following
        unsafe following?.preceding = unsafe preceding
        following = nil
        unsafe preceding = nil
    }

    /// Everything in the list behind this link, its head: the youngest first.
    final var all: [WaitLink] { Array(sequence(first: self) { $0.following }.dropFirst()) }

    /// How many are in the list behind this link, its head.
    final var count: Int { all.count }

    /// Ends everything in the list behind this link, its head.
    final func giveUpAll(_ error: (StaticString) -> any Error) {
        while let link = following { link.give(up: error(link.operation)) }
    }
}
