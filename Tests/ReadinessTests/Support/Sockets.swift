import Readiness

extension Socket {
    /// Sends until the kernel's buffer is full. For non-blocking sockets.
    @discardableResult
    func fill() throws -> Int {
        var total = 0
        let bytes = [UInt8](repeating: 1, count: 65_536)
        while case .bytes(let count) = try send(bytes) { total += count }
        return total
    }

    /// Receives what is there, and counts it. For non-blocking sockets.
    func drain() throws -> Int {
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case .bytes(let count) = try receive(into: &buffer) { total += count }
        return total
    }
}

/// Two connected blocking TCP sockets.
func tcpPair() throws -> (Socket, Socket) {
    let listener = try Socket.listening(on: .anyLoopback)
    let near = try Socket.connected(to: listener.localEndpoint!)
    guard case .connection(let far) = try listener.accept(blocking: true) else {
        fatalError("a blocking accept blocks")
    }
    return (near, far)
}

/// A TCP socket whose peer has reset the connection. The reset has arrived.
func resetSocket() throws -> Socket {
    let (near, far) = try tcpPair()
    try far.resetOnClose()
    var poller = try PollPoller()
    try poller.add(near.descriptor, .readable)
    _ = consume far
    while try poller.wait().isEmpty {}
    return near
}
