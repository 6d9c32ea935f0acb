internal import CLibuv

/// The end of one side of a stream, after its writes.
final class ShutdownRequest: Request {
    private let stream: StreamHandle
    private var onDone: ((StreamHandle, UVError?) -> Void)?
    /// Set by a close that was asked for meanwhile.
    var closesWhenDone = false

    init(_ stream: StreamHandle, _ onDone: ((StreamHandle, UVError?) -> Void)?) {
        self.stream = stream
        self.onDone = onDone
        unsafe super.init(on: stream.loop, as: uv_shutdown_t.self)
    }

    func begin() throws(UVError) {
        try start("shutdown") {
            unsafe uv_shutdown(memory.assumingMemoryBound(to: uv_shutdown_t.self), stream.stream, shutdownFinished)
        }
    }

    func finish(_ error: UVError?) {
        stream.shutdownUnderWay = nil
        let call = onDone.take()
        if closesWhenDone { stream.close() }
        call?(stream, error)
    }
}

private func shutdownFinished(_ raw: UnsafeMutablePointer<uv_shutdown_t>?, _ status: CInt) {
    let request = unsafe ShutdownRequest.take(from: raw)
    request.finish(status < 0 ? UVError(.init(rawValue: status), in: "shutdown") : nil)
    request.loop.callbackEnded()
}
