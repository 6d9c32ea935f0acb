internal import CReadiness
internal import Glibc
internal import SystemPackage

/// poll(2): an array of descriptors, copied into the kernel and scanned from end to end in each wait.
///
/// No limit on the descriptors' numbers, but the cost of a wait grows with how many are watched.
public struct PollPoller: Poller, ~Copyable {
    public let waker: Waker
    private var entries: [pollfd]  // the waker's first
    private var positions = DescriptorTable<(index: Int, once: Bool)>()

    /// A poller that watches nothing yet.
    public init() throws(SystemError) {
        waker = try Waker()
        entries = [pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0)]
    }

    public mutating func add(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try check(readiness_check(descriptor), "poll", of: "descriptor \(descriptor)")
        guard positions[descriptor] == nil else {
            throw SystemError(.fileExists, in: "poll", of: "descriptor \(descriptor)")
        }
        positions[descriptor] = (entries.count, interest.contains(.once))
        entries.append(pollfd(fd: descriptor, events: interest.pollEvents, revents: 0))
    }

    public mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        let index = try index(of: descriptor)
        positions[descriptor] = (index, interest.contains(.once))
        entries[index] = pollfd(fd: descriptor, events: interest.pollEvents, revents: 0)
    }

    public mutating func remove(_ descriptor: CInt) throws(SystemError) {
        let index = try index(of: descriptor)
        positions[descriptor] = nil
        // The last entry moves into the gap.
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        let moved = last.watched
        positions[moved] = (index, positions[moved]?.once ?? false)
    }

    public mutating func wait(upTo timeout: Duration?, into events: inout [ReadyEvent]) throws(SystemError) {
        events.removeAll(keepingCapacity: true)
        let result = unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe readiness_poll(entries.baseAddress, entries.count, timeout.pollMilliseconds)
        }
        guard result != -EINTR else { return }
        var left = try check(result, "poll")
        for index in entries.indices where left > 0 && entries[index].revents != 0 {
            left -= 1
            let entry = entries[index]
            guard index > 0 else {
                waker.drain()
                continue
            }
            let readiness = ReadyEvent.Readiness(
                poll: UInt32(truncatingIfNeeded: entry.revents), asked: UInt32(truncatingIfNeeded: entry.events))
            events.append(ReadyEvent(descriptor: entry.fd, readiness: readiness))
            if positions[entry.fd]?.once == true { entries[index].silence() }
        }
    }

    private func index(of descriptor: CInt) throws(SystemError) -> Int {
        guard let position = positions[descriptor] else {
            throw SystemError(.noSuchFileOrDirectory, in: "poll", of: "descriptor \(descriptor)")
        }
        return position.index
    }
}

extension pollfd {
    /// Poll passes over entries with negative numbers, and says not even "hung up" for them.
    fileprivate mutating func silence() { fd = ~fd }

    /// The descriptor, also of a silent entry.
    fileprivate var watched: CInt { fd < 0 ? ~fd : fd }
}
