import AsyncUV
import ExampleSupport
import Foundation
import Synchronization

/// The echo server on the async layer: each client is a loop in the language, in a task of its own.
final class AsyncServer: Sendable {
    /// How long clients that do not read may hold up the end.
    private static let grace = Duration.seconds(1)

    private let idleTimeout: Duration?
    private let tally = Mutex(Tally())
    private let refusals = Mutex(RefusalLog())

    init(idleTimeout: Duration?) { self.idleTimeout = idleTimeout }

    /// Serves until SIGINT or SIGTERM: with one loop on this thread, with several on a thread each.
    func run(at address: SocketAddress, loops: Int) throws -> Tally {
        try EventLoop.run { [self] loop in
            guard loops > 1 else { return try await serve([TCPListener.bind(to: address)], from: loop) }
            let group = try await EventLoopGroup(count: loops)
            // The kernel spreads the clients over the listeners.
            try await serve(group.bind(host: address.host, port: address.port), from: loop)
            await group.shutdown()
        }
        return tally.withLock { $0 }
    }

    private func serve(_ listeners: [TCPListener], from loop: EventLoop) async throws {
        let signals = try await Signals.watch(.interrupt, .terminate)
        let serving = loop.spawn {
            try await EventLoopGroup.serve(listeners, onError: { self.report($0, $1) }) { try await self.echo($0) }
        }
        printLine("listening on \(listeners[0].localAddress)")
        _ = try await signals.next()
        for listener in listeners { await listener.close() }
        serving.cancel()
        _ = await serving.result
    }

    private func echo(_ client: TCPConnection) async throws {
        tally.withLock { $0.connections += 1 }
        refusals.withLock { $0.accepted() }
        do {
            while let bytes = try await limited({ try await client.read() }) {
                tally.withLock { $0.bytes += bytes.count }
                // Returns when the system has it all: a client that does not read is not read from, either.
                try await limited { try await client.write(bytes) }
            }
        } catch is CancellationError {
            // The server ends. What a cancelled write has not sent is still queued; this task can wait for nothing more.
            let rest = client.loop.spawn { try await withTimeout(Self.grace) { try await client.finishWriting() } }
            _ = await rest.result
        }
    }

    /// Waits no longer than the idle timeout, if there is one.
    private func limited<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let idleTimeout else { return try await work() }
        return try await withTimeout(idleTimeout, work)
    }

    private func report(_ error: any Error, _ peer: SocketAddress?) {
        if peer == nil, let error = error as? UVError {
            refusals.withLock { $0.add(error) }
        } else {
            TCPListener.report(error, peer)
        }
    }
}
