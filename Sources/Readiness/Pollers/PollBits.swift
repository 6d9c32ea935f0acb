internal import Glibc

// The bits of poll(2). Linux gives those of epoll(7) the same values.
extension Interest {
    var pollEvents: Int16 {
        var events: CInt = 0
        if contains(.readable) { events |= POLLIN }
        if contains(.writable) { events |= POLLOUT }
        if contains(.priority) { events |= POLLPRI }
        return Int16(events)
    }
}

extension ReadyEvent.Readiness {
    /// Translates what the kernel says.
    ///
    /// The kernel tells "hung up" and "failed" unasked, and often alone. A server that looks for "readable" only would not
    /// read the bytes that came before a hang-up, or would spin. So both count as readable, and "failed" counts as
    /// writable, for a descriptor that is watched for it: what select says.
    init(poll bits: UInt32, asked: UInt32) {
        self = []
        let (bits, asked) = (CInt(truncatingIfNeeded: bits), CInt(truncatingIfNeeded: asked))
        let isFailed = bits & POLLERR != 0
        let isHungUp = bits & POLLHUP != 0
        if bits & POLLIN != 0 || (asked & POLLIN != 0 && (isHungUp || isFailed)) { insert(.readable) }
        if bits & POLLOUT != 0 || (asked & POLLOUT != 0 && isFailed) { insert(.writable) }
        if bits & POLLPRI != 0 { insert(.priority) }
        if isHungUp { insert(.hungUp) }
        if isFailed { insert(.failed) }
        if bits & POLLNVAL != 0 { insert(.invalid) }
    }
}
