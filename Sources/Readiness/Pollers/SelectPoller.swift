internal import CReadiness
internal import Glibc
internal import SystemPackage

/// select(2): three sets of bits, copied into the kernel and scanned from end to end in each wait.
///
/// The cost of a wait grows with the highest descriptor. The sets have room for the descriptors 0 to 1,023; in C,
/// `FD_SET` of a larger one writes beyond the set. Here ``add(_:_:)`` throws before it touches the set.
public struct SelectPoller: Poller, ~Copyable {
    /// FD_SETSIZE: descriptors from here on cannot be watched.
    public static let limit: CInt = 1024

    public let waker: Waker
    private var interests = DescriptorTable<Interest>()
    private var watched = DescriptorSets()
    private var end: CInt = 0  // one more than the highest descriptor that was ever watched

    /// A poller that watches nothing yet.
    public init() throws(SystemError) {
        let waker = try Waker()
        try Self.checkLimit(waker.descriptor, "the waker's ")
        self.waker = waker
        setBits(waker.descriptor, .readable)
    }

    public mutating func add(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try check(readiness_check(descriptor), "select", of: "descriptor \(descriptor)")
        try Self.checkLimit(descriptor)
        guard interests[descriptor] == nil else {
            throw SystemError(.fileExists, in: "select", of: "descriptor \(descriptor)")
        }
        interests[descriptor] = interest
        setBits(descriptor, interest)
    }

    public mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try checkKnown(descriptor)
        interests[descriptor] = interest
        setBits(descriptor, interest)
    }

    public mutating func remove(_ descriptor: CInt) throws(SystemError) {
        try checkKnown(descriptor)
        interests[descriptor] = nil
        setBits(descriptor, [])
    }

    public mutating func wait(upTo timeout: Duration?, into events: inout [ReadyEvent]) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        // The kernel overwrites the sets: it gets a copy.
        var ready = watched
        switch ready.select(below: end, timeout.selectMicroseconds) {
        case -EINTR: return
        case -EBADF:
            // Select says only that some descriptor is bad. Find out which, and look at the others.
            ready = takeOutClosed(into: &events)
            if ready.select(below: end, 0) > 0 { collect(ready, into: &events) }
        case let result:
            if try check(result, "select") > 0 { collect(ready, into: &events) }
        }
    }

    private mutating func collect(_ ready: DescriptorSets, into events: inout [ReadyEvent]) {
        ready.forEach(below: end) { descriptor, readiness in
            if descriptor == waker.descriptor { return waker.drain() }
            tell(descriptor, readiness, to: &events)
        }
    }

    /// Reports the closed descriptors, as poll does.
    ///
    /// - Returns: What is watched without them.
    private mutating func takeOutClosed(into events: inout [ReadyEvent]) -> DescriptorSets {
        var open = watched
        for descriptor in interests.descriptors where watched.contains(descriptor) && readiness_check(descriptor) < 0 {
            open.set(descriptor, to: [])
            tell(descriptor, .invalid, to: &events)
        }
        return open
    }

    private mutating func tell(_ descriptor: CInt, _ readiness: ReadyEvent.Readiness, to events: inout [ReadyEvent]) {
        events.append(ReadyEvent(descriptor: descriptor, readiness: readiness))
        if interests[descriptor]?.contains(.once) == true { watched.set(descriptor, to: []) }
    }

    private mutating func setBits(_ descriptor: CInt, _ interest: Interest) {
        watched.set(descriptor, to: interest)
        end = max(end, descriptor + 1)
    }

    private func checkKnown(_ descriptor: CInt) throws(SystemError) {
        guard interests[descriptor] != nil else {
            throw SystemError(.noSuchFileOrDirectory, in: "select", of: "descriptor \(descriptor)")
        }
    }

    private static func checkLimit(_ descriptor: CInt, _ owner: String = "") throws(SystemError) {
        guard descriptor < limit else {
            throw SystemError(
                .invalidArgument, in: "FD_SET", of: "\(owner)descriptor \(descriptor), beyond select's \(limit)")
        }
    }
}
