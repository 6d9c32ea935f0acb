internal import CLibuv

/// One attempt to connect a handle.
final class ConnectRequest: Request {
    private let address: String
    private let onDone: (UVError?) -> Void

    /// - Parameter onDone: Called once; keeps the handle.
    init(on loop: Loop, to address: String, _ onDone: @escaping (UVError?) -> Void) {
        self.address = address
        self.onDone = onDone
        unsafe super.init(on: loop, as: uv_connect_t.self)
    }

    override var subjectOfRequest: String? { "to \(address)" }

    func begin(
        _ connect: (UnsafeMutablePointer<uv_connect_t>, @escaping uv_connect_cb) -> CInt
    ) throws(UVError) {
        try start("connect", of: address) {
            unsafe connect(memory.assumingMemoryBound(to: uv_connect_t.self), connectFinished)
        }
    }

    fileprivate func finish(_ status: CInt) {
        onDone(status < 0 ? UVError(.init(rawValue: status), in: "connect", of: address) : nil)
    }
}

private func connectFinished(_ raw: UnsafeMutablePointer<uv_connect_t>?, _ status: CInt) {
    let request = unsafe ConnectRequest.take(from: raw)
    request.finish(status)
    request.loop.callbackEnded()
    // A refusal that was known at once is told before the loop waits.
    request.loop.clock.update()
}
