import Readiness

/// Sleeps in select, poll or epoll, which could watch thousands of sockets at once; then reads without waiting.
struct MultiplexModel<Backend: Poller & ~Copyable>: IOModel {
    let name: String
    let summary: [String]

    init(_ name: String) {
        self.name = name
        summary = ["\(name == "epoll" ? "epoll_wait" : name) sleeps until a socket", "is ready; then recv copies"]
    }

    func receiveAll(_ reader: inout Reader) throws -> Track? {
        try reader.socket.setBlocking(false)
        var poller = try Backend()
        try poller.add(reader.socket.descriptor, .readable)
        var received = 0
        while received < reader.setting.messages {
            _ = try reader.track.call(.waiting) { try poller.wait() }
            if try reader.receive(mayBlock: false) { received += 1 }
        }
        return nil
    }
}
