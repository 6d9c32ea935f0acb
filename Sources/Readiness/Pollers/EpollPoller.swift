internal import CReadiness
internal import Glibc

/// epoll(7): the kernel keeps the list. The cost of a wait grows with what is ready, not with what is watched.
///
/// **The closed-descriptor trap.** Epoll watches the open file behind a descriptor, not its number. Closing the number
/// takes it out only when no other number leads to the same open file. If one does (`dup`, a forked child), events
/// keep coming under a number that is closed or by now means something else, and ``remove(_:)`` throws EBADF: nobody
/// can take it out any more. So: `remove` first, then close. ``Socket`` closes when its last holder drops it; let the
/// connections that you watch own theirs.
@safe public struct EpollPoller: Poller, ~Copyable {
    /// When a descriptor is reported.
    public enum Trigger: Sendable {
        /// In each wait, for as long as it is ready.
        case level

        /// Once, when it becomes ready or more arrives. Serve it until it would block: no further event comes for
        /// what was left. Saves system calls, and loses data when forgotten.
        case edge
    }

    /// When it reports descriptors.
    public let trigger: Trigger
    public let waker: Waker
    private let epoll: Epoll

    /// Where the kernel writes. As many events as one wait returns; the rest come with the next.
    private var batch = unsafe [epoll_event](repeating: epoll_event(), count: 256)

    /// A level-triggered poller that watches nothing yet.
    public init() throws(SystemError) { try self.init(trigger: .level) }

    /// A poller that watches nothing yet, and reports as the trigger says.
    public init(trigger: Trigger) throws(SystemError) {
        let waker = try Waker()
        let epoll = try Epoll()
        try epoll.control(EPOLL_CTL_ADD, "ADD", waker.descriptor, EPOLLIN.rawValue)
        (self.trigger, self.waker) = (trigger, waker)
        self.epoll = epoll
    }

    public mutating func add(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try epoll.control(EPOLL_CTL_ADD, "ADD", descriptor, events(for: interest))
    }

    /// Adds a descriptor that several pollers watch, typically a listener: an event wakes one or few of them, not the
    /// whole herd (EPOLLEXCLUSIVE). Such an entry cannot be modified.
    public mutating func addExclusively(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try epoll.control(EPOLL_CTL_ADD, "ADD", descriptor, events(for: interest) | EPOLLEXCLUSIVE.rawValue)
    }

    public mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try epoll.control(EPOLL_CTL_MOD, "MOD", descriptor, events(for: interest))
    }

    public mutating func remove(_ descriptor: CInt) throws(SystemError) {
        try epoll.control(EPOLL_CTL_DEL, "DEL", descriptor, 0)
    }

    public mutating func wait(upTo timeout: Duration?, into events: inout [ReadyEvent]) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        let count = unsafe batch.withUnsafeMutableBufferPointer { batch in
            unsafe readiness_epoll_wait(
                epoll.descriptor, batch.baseAddress, CInt(batch.count), timeout.pollMilliseconds)
        }
        guard count != -EINTR else { return }
        for index in 0..<Int(try check(count, "epoll_wait")) {
            let event = unsafe batch[index]
            let descriptor = unsafe readiness_epoll_descriptor(event)
            guard descriptor != waker.descriptor else {
                waker.drain()
                continue
            }
            let readiness = unsafe ReadyEvent.Readiness(poll: event.events, asked: readiness_epoll_asked(event))
            events.append(ReadyEvent(descriptor: descriptor, readiness: readiness))
        }
    }

    private func events(for interest: Interest) -> UInt32 {
        var events = UInt32(interest.pollEvents)
        if trigger == .edge { events |= EPOLLET.rawValue }
        if interest.contains(.once) { events |= EPOLLONESHOT.rawValue }
        return events
    }
}

/// The epoll descriptor: not copyable, so that it is closed once and only when nobody can use it any more.
/// (Not `private`: optimized builds of other modules refer to its metadata and then fail to link, seen with Swift 6.3.1.)
struct Epoll: ~Copyable {
    let descriptor: CInt

    init() throws(SystemError) { descriptor = try check(readiness_epoll_create(), "epoll_create") }

    deinit { _ = readiness_close(descriptor) }

    func control(_ operation: CInt, _ name: String, _ descriptor: CInt, _ events: UInt32) throws(SystemError) {
        try check(
            readiness_epoll_control(self.descriptor, operation, descriptor, events), "epoll_ctl(\(name))",
            of: "descriptor \(descriptor)")
    }
}
