public import Readiness

/// One connection at a time: each call blocks, and everybody else waits in the backlog.
public struct BlockingServer: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: options.chunk)
        try listener.setBlocking(true)
        while let connection = try listener.acceptBlocking(until: stop, options) {
            // Nothing ends a blocked receive as cleanly as shutting the socket down under it.
            let interruption = stop.onRequest { try? connection.shutdown(.both) }
            defer { interruption.cancel() }
            do {
                try connection.converse(&buffer, options.handler)
            } catch {
                if !stop.isRequested { options.onProblem(error) }
            }
        }
    }
}

extension Socket {
    /// The next connection, or `nil` when the end is requested.
    func acceptBlocking(until stop: Stop, _ options: ServerOptions) throws(SystemError) -> Socket? {
        let interruption = stop.onRequest { try? self.shutdown(.both) }
        defer { interruption.cancel() }
        while !stop.isRequested {
            do {
                guard case .connection(let connection) = try accept(blocking: true) else { continue }
                return stop.isRequested ? nil : connection
            } catch {
                if stop.isRequested { return nil }  // accept on a listener that is shut down: invalid argument
                guard error.isShortage else { throw error }
                options.onProblem(error)
                AcceptPause.sleep()
            }
        }
        return nil
    }
}
