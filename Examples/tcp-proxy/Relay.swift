import AsyncUV
import ExampleSupport
import Synchronization

/// Connects each client to the server, and carries bytes both ways, no faster than they are taken.
final class Relay: Sendable {
    private let host: String
    private let port: UInt16
    private let connectTimeout: Duration
    private let traffic = Mutex(Traffic())

    init(host: String, port: UInt16, connectTimeout: Duration) {
        self.host = host
        self.port = port
        self.connectTimeout = connectTimeout
    }

    /// What went through so far.
    var total: Traffic { traffic.withLock { $0 } }

    func serve(_ client: TCPConnection) async throws {
        traffic.withLock { $0.connections += 1 }
        do {
            let server = try await TCPConnection.connect(host: host, port: port, timeout: connectTimeout)
            do {
                try await client.relay(with: server) { count in
                    self.traffic.withLock { $0.sent += count }
                } onCopiedBack: { count in
                    self.traffic.withLock { $0.received += count }
                }
            } catch {
                await server.closeWithReset()
                throw error
            }
            await server.close()
        } catch {
            // What breaks on one side breaks on the other: an orderly end would say that this was all.
            await client.closeWithReset()
            throw error
        }
    }

    func report(_ error: any Error, _ client: SocketAddress?) {
        if error is CancellationError { return }
        printProblem("\(client.map { "\($0)" } ?? "cannot accept, trying again"): \(error)")
    }
}

/// What went through.
struct Traffic: CustomStringConvertible {
    var connections = 0
    /// Bytes from clients to the server.
    var sent = 0
    /// Bytes from the server to clients.
    var received = 0

    var description: String {
        "\(count(connections, "connection")), \(count(sent, "byte")) to the server, \(count(received, "byte")) back"
    }
}
