internal import CLibuv

/// One attempt to connect a TCP handle.
final class ConnectRequest: Request {
    private let handle: TCPHandle
    private let address: SocketAddress
    private let onDone: (TCPHandle, UVError?) -> Void

    init(_ handle: TCPHandle, to address: SocketAddress, _ onDone: @escaping (TCPHandle, UVError?) -> Void) {
        self.handle = handle
        self.address = address
        self.onDone = onDone
        unsafe super.init(on: handle.loop, as: uv_connect_t.self)
    }

    func begin() throws(UVError) {
        try start("connect", of: address.description) {
            unsafe address.withSockaddr { address, _ in
                unsafe uv_tcp_connect(
                    memory.assumingMemoryBound(to: uv_connect_t.self), handle.raw, address, connectFinished)
            }
        }
    }

    fileprivate func finish(_ status: CInt) {
        let status =
            status == 0 && !handle.connected(to: address) ? UV_ECONNREFUSED.rawValue : status
        onDone(handle, status < 0 ? UVError(.init(rawValue: status), in: "connect", of: address.description) : nil)
    }
}

private func connectFinished(_ raw: UnsafeMutablePointer<uv_connect_t>?, _ status: CInt) {
    let request = unsafe ConnectRequest.take(from: raw)
    request.finish(status)
    request.loop.callbackEnded()
    // A refusal that was known at once is told before the loop waits.
    request.loop.clock.update()
}
