internal import CLibuv

/// Finishes the sending side of a stream after its writes.
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
        do throws(UVError) {
            try start("finishWriting") {
                unsafe uv_shutdown(memory.assumingMemoryBound(to: uv_shutdown_t.self), stream.stream, shutdownFinished)
            }
        } catch { throw failure(error.code) }
    }

    func finish(_ code: UVError.Code?) {
        unsafe stream.backlog?.shutdown = nil
        let call = onDone.take()
        if closesWhenDone { stream.closeGently() }
        call?(stream, code.map(failure))
    }

    /// The stream was connected when the end was asked for: where it is not any more, the peer has gone.
    private func failure(_ code: UVError.Code) -> UVError {
        stream.writeError(code == .socketNotConnected ? .brokenPipe : code, in: "finishWriting")
    }
}

private func shutdownFinished(_ raw: UnsafeMutablePointer<uv_shutdown_t>?, _ status: CInt) {
    let request = unsafe ShutdownRequest.take(from: raw)
    request.finish(status < 0 ? UVError.Code(rawValue: status) : nil)
    request.loop.callbackEnded()
}
