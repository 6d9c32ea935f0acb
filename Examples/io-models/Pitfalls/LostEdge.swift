import Readiness

/// Edge-triggered, and not read to the end.
struct LostEdge: Pitfall {
    let name = "lost-edge"
    let lesson = """
        An edge is told once. Who reads only a part waits for ever for the rest: the kernel sees no change. \
        Read until it would block.
        """

    func wrong() throws -> Finding {
        try run { near, buffer in
            if case .bytes(let count) = try near.receive(into: &buffer) { count } else { 0 }
        }
    }

    func right() throws -> Finding {
        try run { near, buffer in
            var total = 0
            while case .bytes(let count) = try near.receive(into: &buffer) { total += count }
            return total
        }
    }

    /// 30 bytes come, 10 fit into the buffer; two turns of an event loop.
    private func run(serve: (Socket, inout [UInt8]) throws -> Int) throws -> Finding {
        let (near, far) = try Socket.pair(blocking: false)
        var poller = try EpollPoller(trigger: .edge)
        try poller.add(near.descriptor, .readable)
        try far.sendAll([UInt8](repeating: 1, count: 30))
        var buffer = [UInt8](repeating: 0, count: 10)
        var (received, events) = (0, 0)
        for _ in 0..<2 {
            for _ in try poller.wait(upTo: .milliseconds(100)) {
                events += 1
                received += try serve(near, &buffer)
            }
        }
        return Finding(
            text: "30 bytes sent, \(events) event in two turns, \(received) bytes received", isTrouble: received < 30)
    }
}
