public import Readiness

/// Non-blocking calls and nothing to wait with: it asks the listener and every connection again and again.
///
/// One core is always busy, with system calls that answer "would block".
public struct BusyServer: Server {
    let options: ServerOptions

    public init(_ options: ServerOptions = ServerOptions()) { self.options = options }

    public func run(on listener: Socket, until stop: Stop) throws(SystemError) {
        var buffer = [UInt8](repeating: 0, count: options.chunk)
        var connections: [Connection] = []
        var isShort = false
        try listener.setBlocking(false)
        while !stop.isRequested {
            do {
                if case .connection(let socket) = try listener.accept(blocking: false) {
                    connections.append(Connection(socket))
                    isShort = false
                }
            } catch {
                guard error.isShortage else { throw error }
                // Asked again in the next round, as everything here; told once.
                if !isShort { options.onProblem(error) }
                isShort = true
            }
            connections.removeAll { connection in
                do throws(SystemError) {
                    if case .end = try connection.advance(&buffer, options.handler) { return true }
                    return false
                } catch {
                    options.onProblem(error)
                    return true
                }
            }
        }
    }
}
