/// A link of the list of everything that waits on a loop, so that a loop that ends leaves nobody waiting.
///
/// A link can also be an entry of the queue of timers, so that a sleep is one object.
///
/// Each link owns the next one; `before` is unowned. A link removes itself before it is freed, so `before` never dangles.
class WaitLink: TimerEntry {
    private var next: WaitLink?
    private unowned(unsafe) var before: WaitLink?

    /// Where it waits, for a cancellation that comes from another thread.
    final unowned(unsafe) var loop: EventLoop?

    final let operation: StaticString

    init(_ operation: StaticString) {
        self.operation = operation
        super.init()
    }

    /// Ends the wait with an error.
    func give(up error: any Error) {}

    /// Joins the list behind this link, its head.
    final func insert(_ link: WaitLink) {
        link.next = next
        unsafe link.before = self
        unsafe next?.before = link
        next = link
    }

    final func unlink() {
        unsafe before?.next = next
        unsafe next?.before = unsafe before
        next = nil
        unsafe before = nil
    }

    /// How many are in the list behind this link, its head.
    final var count: Int { sequence(first: self) { $0.next }.reduce(-1) { count, _ in count + 1 } }

    /// Ends everything in the list behind this link, its head.
    final func giveUpAll(_ error: (StaticString) -> any Error) {
        while let link = next { link.give(up: error(link.operation)) }
    }
}
