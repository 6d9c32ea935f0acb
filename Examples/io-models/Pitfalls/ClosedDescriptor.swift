import CReadiness
import Readiness

/// Closed while epoll watches it.
struct ClosedDescriptor: Pitfall {
    let name = "closed-descriptor"
    let lesson = """
        Epoll watches the open file, not the number. When a copy of a closed descriptor lives on, here or in a child, \
        events keep coming for a number that is gone, and nobody can take it out. Remove first, then close.
        """

    func wrong() throws -> Finding { try run(removesFirst: false) }
    func right() throws -> Finding { try run(removesFirst: true) }

    private func run(removesFirst: Bool) throws -> Finding {
        let (near, far) = try Socket.pair(blocking: false)
        let copy = readiness_duplicate_above(near.descriptor, 700)
        var poller = try EpollPoller()
        try poller.add(copy, .readable)
        if removesFirst { try poller.remove(copy) }
        _ = readiness_close(copy)
        try far.sendAll([1])
        let events = try poller.wait(upTo: .zero)
        var answer = ""
        if !removesFirst {
            do { try poller.remove(copy) } catch { answer = "; to remove it: \(error)" }
        }
        return Finding(text: "\(events.count) event for the closed \(copy)\(answer)", isTrouble: !events.isEmpty)
    }
}
