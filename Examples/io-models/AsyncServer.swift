import AsyncUV
import CReadiness
import Readiness
import ServerModels
import SystemPackage

/// The same server on the async layer: for each connection a task, which reads like a blocking thread's loop and costs
/// none.
struct AsyncServer: Server {
    let options: ServerOptions

    init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        do {
            try EventLoop.run { _ in try await serve(open(listener), until: stop) }
        } catch {
            throw (error as? UVError).map { SystemError($0) } ?? SystemError(.canceled, in: "\(error)")
        }
    }

    /// A second descriptor for the listener, which is not ours: the loop closes what it takes over.
    private func open(_ listener: Socket) async throws -> TCPListener {
        let descriptor = FileDescriptor(rawValue: readiness_duplicate(listener.descriptor))
        do { return try await TCPListener.open(descriptor) } catch {
            try? descriptor.close()
            throw error
        }
    }

    private func serve(_ listener: TCPListener, until stop: Stop) async throws {
        let serving = listener.loop.spawn {
            try await listener.serve(onError: report) { connection in
                for try await var bytes in connection {
                    options.handler(&bytes, bytes.count)
                    // Returns when the system has it all: a client that does not read is not read from, either.
                    try await connection.write(bytes)
                }
            }
        }
        let interruption = stop.onRequest { serving.cancel() }
        defer { interruption.cancel() }
        do { try await serving.value } catch is CancellationError {}
        await listener.close()
    }

    private func report(_ error: any Error, _ peer: SocketAddress?) {
        if let error = error as? UVError { options.onProblem(SystemError(error)) }
    }
}
