import CReadiness
import Readiness

/// select with a descriptor of 1,024 or more.
struct SelectLimit: Pitfall {
    let name = "select-limit"
    let lesson = """
        A set of select has 1,024 bits. In C, FD_SET of a larger descriptor changes the memory behind it. \
        Refuse before, as SelectPoller does; or use poll or epoll.
        """

    /// The arithmetic of FD_SET on a set that has a neighbour: no memory is harmed here.
    func wrong() throws -> Finding {
        var memory = [UInt8](repeating: 0, count: 256)
        let (set, neighbour) = (0..<128, 128..<256)
        for descriptor in [3, 1000, 1500] { memory[descriptor / 8] |= 1 << UInt8(descriptor % 8) }
        let inside = memory[set].filter { $0 != 0 }.count
        let harmed = neighbour.filter { memory[$0] != 0 }
        return Finding(
            text: "3, 1000 and 1500 into a set of 128 bytes: \(inside) bytes of it changed, and byte \(harmed[0]) of "
                + "somebody else's", isTrouble: !harmed.isEmpty)
    }

    func right() throws -> Finding {
        let (near, far) = try Socket.pair(blocking: false)
        let high = Socket(adopting: readiness_duplicate_above(near.descriptor, 1500))
        try far.sendAll([1])
        var select = try SelectPoller()
        var answer = "accepted"
        do { try select.add(high.descriptor, .readable) } catch { answer = "\(error)" }
        var poll = try PollPoller()
        try poll.add(high.descriptor, .readable)
        let seen = try poll.wait(upTo: .zero).count
        return Finding(text: "select: \(answer); poll: \(seen) event", isTrouble: answer == "accepted" || seen != 1)
    }
}
