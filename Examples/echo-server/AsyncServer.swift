import AsyncUV
import ExampleSupport
import Foundation
import Synchronization

/// The echo server on the async layer: each client is a loop in the language, in a task of its own.
final class AsyncServer: Sendable {
    /// How long clients that do not read may hold up the end.
    private static let grace = Duration.seconds(1)

    private let idleTimeout: Duration?
    private let connections = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let refusals = Mutex(RefusalLog())

    init(idleTimeout: Duration?) { self.idleTimeout = idleTimeout }

    /// Serves until SIGINT or SIGTERM: with one loop on this thread, with several on a thread each.
    func run(at address: SocketAddress, loops: Int) throws -> Tally {
        try EventLoop.run { [self] loop in
            guard loops > 1 else {
                try await serve([TCPListener.bind(to: address)], from: loop)
                return await loop.shutdown(grace: Self.grace)
            }
            let group = try await EventLoopGroup(count: loops)
            // The kernel spreads the clients over the listeners.
            try await serve(group.bind(host: address.host, port: address.port), from: loop)
            await group.shutdown(grace: Self.grace)
        }
        return tally
    }

    /// Serves a local socket until SIGINT or SIGTERM.
    func run(at address: LocalAddress) throws -> Tally {
        try EventLoop.run { [self] loop in
            let listener = try await LocalListener.bind(to: address, replacingStale: true)
            let signals = try await Signals.watch(.interrupt, .terminate)
            loop.spawn(onError: { LocalListener.report($0, nil) }) {
                try await listener.serve(
                    idleTimeout: self.idleTimeout, onError: { self.report($0, $1) }, self.echo)
            }
            printLine("listening on \(listener.localAddress)")
            _ = try await signals.next()
            await loop.shutdown(grace: Self.grace)
        }
        return tally
    }

    private var tally: Tally {
        Tally(connections: connections.load(ordering: .relaxed), bytes: bytes.load(ordering: .relaxed))
    }

    /// Returns when the server is to end. What is under way goes on.
    private func serve(_ listeners: [TCPListener], from loop: EventLoop) async throws {
        let signals = try await Signals.watch(.interrupt, .terminate)
        loop.spawn(onError: { TCPListener.report($0, nil) }) {
            try await EventLoopGroup.serve(
                listeners, idleTimeout: self.idleTimeout, onError: { self.report($0, $1) }, self.echo)
        }
        printLine("listening on \(listeners[0].localAddress)")
        _ = try await signals.next()
    }

    private func echo(_ client: some StreamConnection) async throws {
        connections.add(1, ordering: .relaxed)
        refusals.withLock { $0.accepted() }
        // When the server ends, a client that sends nothing more is not waited for.
        while let bytes = try await client.read(untilDraining: true) {
            self.bytes.add(bytes.count, ordering: .relaxed)
            // Returns when the system has it all: a client that does not read is not read from, either.
            try await client.write(bytes)
        }
    }

    private func report(_ error: any Error, _ peer: SocketAddress?) {
        if !isRefusal(error, peer == nil) { TCPListener.report(error, peer) }
    }

    private func report(_ error: any Error, _ peer: PeerCredentials?) {
        if !isRefusal(error, peer == nil) { LocalListener.report(error, peer) }
    }

    /// Notes that no client could be accepted.
    private func isRefusal(_ error: any Error, _ isOfListener: Bool) -> Bool {
        guard isOfListener, let error = error as? UVError, error.code != .canceled else { return false }
        refusals.withLock { $0.add(error) }
        return true
    }
}
