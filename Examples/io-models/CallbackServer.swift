import CReadiness
import Readiness
import ServerModels
import SystemPackage
import UV

/// The same server on libuv's callbacks: told not when it may read, but what has been read.
struct CallbackServer: Server {
    let options: ServerOptions

    init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        do { try serve(listener, until: stop) } catch { throw SystemError(error) }
    }

    private func serve(_ listener: Socket, until stop: Stop) throws(UVError) {
        let loop = try Loop()
        let wakeup = try WakeupHandle(on: loop) { _ in try? loop.closeAllHandles() }
        let waker = wakeup.waker
        let interruption = stop.onRequest { _ = waker.wake() }
        defer { interruption.cancel() }
        let server = try TCPHandle(on: loop)
        // The handle closes what it opens, and the listener is not ours.
        try server.open(FileDescriptor(rawValue: readiness_duplicate(listener.descriptor)))
        try server.listen { _, connection in
            switch connection {
            case .success(let client): converse(with: client)
            case .failure(let error): options.onProblem(SystemError(error))
            }
        }
        try loop.run()
        try loop.close()
    }

    private func converse(with client: TCPHandle) {
        guarded(client) { () throws(UVError) in
            try client.startReading(
                onBytes: { client, bytes in echo(bytes, to: client) },
                onEnd: { client, error in
                    if let error { options.onProblem(SystemError(error)) }
                    error == nil ? client.closeAfterWrites() : client.close()
                })
        }
    }

    private func echo(_ bytes: Span<UInt8>, to client: StreamHandle) {
        var reply = [UInt8](copying: bytes)
        options.handler(&reply, reply.count)
        guarded(client) { () throws(UVError) in
            let outcome = try client.write(reply) { client, error in
                error == nil ? client.resumeReading() : client.close()
            }
            if outcome == .queued { client.stopReading() }  // the peer is slow: wait, do not pile up
        }
    }

    /// Trouble with one connection ends that connection.
    private func guarded(_ client: StreamHandle, _ body: () throws(UVError) -> Void) {
        do { try body() } catch {
            options.onProblem(SystemError(error))
            client.close()
        }
    }
}
