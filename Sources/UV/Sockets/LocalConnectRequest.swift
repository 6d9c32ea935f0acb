internal import CLibuv
internal import SystemPackage

/// One attempt to connect a pipe handle with a socket in the file system.
final class LocalConnectRequest: Request {
    private let handle: PipeHandle
    private let address: LocalAddress
    private let onDone: (PipeHandle, UVError?) -> Void

    init(_ handle: PipeHandle, to address: LocalAddress, _ onDone: @escaping (PipeHandle, UVError?) -> Void) {
        self.handle = handle
        self.address = address
        self.onDone = onDone
        unsafe super.init(on: handle.loop, as: uv_connect_t.self)
    }

    func begin(at path: FilePath) throws(UVError) {
        try start("connect", of: address.description) {
            unsafe path.withPlatformString { path in
                unsafe uv_pipe_connect(
                    memory.assumingMemoryBound(to: uv_connect_t.self), handle.raw, path, localConnectFinished)
            }
            // It tells every failure by its callback.
            return 0
        }
    }

    fileprivate func finish(_ status: CInt) {
        if status == 0 { handle.connected(to: address) }
        onDone(handle, status < 0 ? UVError(.init(rawValue: status), in: "connect", of: address.description) : nil)
    }
}

private func localConnectFinished(_ raw: UnsafeMutablePointer<uv_connect_t>?, _ status: CInt) {
    let request = unsafe LocalConnectRequest.take(from: raw)
    request.finish(status)
    request.loop.callbackEnded()
    // As in ConnectRequest.
    request.loop.clock.update()
}
