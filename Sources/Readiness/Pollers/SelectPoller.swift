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
    private var readable = DescriptorSet()
    private var writable = DescriptorSet()
    private var priority = DescriptorSet()
    private var end: CInt = 0  // one more than the highest descriptor ever watched

    public init() throws(SystemError) {
        let waker = try Waker()
        try Self.checkLimit(waker.descriptor)
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
        // The kernel overwrites the sets: it gets copies.
        var (readable, writable, priority) = (self.readable, self.writable, self.priority)
        let result = unsafe readiness_select(
            end, &readable.words, &writable.words, &priority.words, timeout.selectMicroseconds)
        switch result {
        case -EINTR, 0: return
        case -EBADF: reportClosed(into: &events)
        default:
            try check(result, "select")
            collect(readable, writable, priority, into: &events)
        }
    }

    private mutating func collect(
        _ readable: DescriptorSet, _ writable: DescriptorSet, _ priority: DescriptorSet, into events: inout [ReadyEvent]
    ) {
        for word in 0..<Int(end + 63) / 64 {
            var ready = readable.words[word] | writable.words[word] | priority.words[word]
            while ready != 0 {
                let bit = ready & ~(ready &- 1)
                let descriptor = CInt(word * 64 + ready.trailingZeroBitCount)
                ready ^= bit
                var readiness: ReadyEvent.Readiness = []
                if readable.words[word] & bit != 0 { readiness.insert(.readable) }
                if writable.words[word] & bit != 0 { readiness.insert(.writable) }
                if priority.words[word] & bit != 0 { readiness.insert(.priority) }
                if descriptor == waker.descriptor {
                    waker.drain()
                } else {
                    events.append(ReadyEvent(descriptor: descriptor, readiness: readiness))
                    if interests[descriptor]?.contains(.once) == true { setBits(descriptor, []) }
                }
            }
        }
    }

    /// Select says only that some descriptor is bad: asks for each, and reports as poll does.
    private func reportClosed(into events: inout [ReadyEvent]) {
        for descriptor in interests.descriptors where readiness_check(descriptor) < 0 {
            events.append(ReadyEvent(descriptor: descriptor, readiness: .invalid))
        }
    }

    private mutating func setBits(_ descriptor: CInt, _ interest: Interest) {
        readable.set(descriptor, to: interest.contains(.readable))
        writable.set(descriptor, to: interest.contains(.writable))
        priority.set(descriptor, to: interest.contains(.priority))
        end = max(end, descriptor + 1)
    }

    private func checkKnown(_ descriptor: CInt) throws(SystemError) {
        guard interests[descriptor] != nil else {
            throw SystemError(.noSuchFileOrDirectory, in: "select", of: "descriptor \(descriptor)")
        }
    }

    private static func checkLimit(_ descriptor: CInt) throws(SystemError) {
        guard descriptor < limit else {
            throw SystemError(.invalidArgument, in: "FD_SET", of: "descriptor \(descriptor), beyond select's \(limit)")
        }
    }
}

/// An `fd_set`: FD_SETSIZE bits in words of the machine.
private struct DescriptorSet {
    var words: [16 of UInt64] = .init(repeating: 0)

    mutating func set(_ descriptor: CInt, to isMember: Bool) {
        let (word, bit) = (Int(descriptor) / 64, UInt64(1) << UInt64(descriptor % 64))
        words[word] = isMember ? words[word] | bit : words[word] & ~bit
    }
}
