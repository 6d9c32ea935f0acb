import AsyncUV
import ExampleHTTP
import ExampleSupport
import Foundation
import HTTPTypes
import Synchronization

/// Serves a site: each connection is a task, its requests are answered one after the other.
final class Server: Sendable {
    /// How long answers that are on their way may hold up the end.
    private static let grace = Duration.seconds(1)
    /// How long a client may take to close the connection after the last answer.
    private static let farewell = Duration.seconds(1)
    /// How many connections may be there beyond the limit, until those that they displace have gone.
    private static let overlap = 16
    private static let readSize = 8_192

    private let site: Site
    private let limits: ServerLimits
    private let lobby = Lobby()
    private let transfers = Transfers()
    private let state = Mutex((tally: Tally(), present: 0))

    init(site: Site, limits: ServerLimits) {
        self.site = site
        self.limits = limits
    }

    /// What was done so far.
    var tally: Tally { state.withLock { $0.tally } }

    /// Serves until SIGINT or SIGTERM.
    func run(at address: SocketAddress, on loop: EventLoop) async throws {
        let listener = try await TCPListener.bind(to: address)
        let signals = try await Signals.watch(.interrupt, .terminate)
        loop.spawn(onError: { TCPListener.report($0, nil) }) { try await self.serve(listener) }
        printLine("listening on \(listener.localAddress)")
        _ = try await signals.next()
        await loop.shutdown(grace: Self.grace)
    }

    /// Serves the connections of a listener until that is closed.
    func serve(_ listener: TCPListener) async throws {
        let watch = listener.loop.spawn { try await self.endSlowTransfers(on: listener.loop) }
        defer { watch.cancel() }
        try await listener.serve(
            maxConnections: limits.connections + Self.overlap, idleTimeout: limits.idle, onError: Self.report
        ) { client in try await self.serve(client) }
    }

    /// Looks at the answers that are under way now and then, until it is cancelled.
    private func endSlowTransfers(on loop: EventLoop) async throws {
        while true {
            try await loop.sleep(for: min(limits.idle / 4, .seconds(1)))
            for client in transfers.removeSlow(idle: limits.idle) {
                state.withLock { $0.tally.timeouts += 1 }
                await client.closeWithReset()
            }
        }
    }

    private static let report: @Sendable (any Error, SocketAddress?) -> Void = { error, peer in
        // A client that was displaced in the moment in which its request came, or too slow for its answer.
        if let error = error as? UVError, error.code == .badFileDescriptor { return }
        TCPListener.report(error, peer)
    }

    private func serve(_ client: TCPConnection) async throws {
        let present = state.withLock { state in
            state.tally.connections += 1
            state.present += 1
            return state.present
        }
        defer { state.withLock { $0.present -= 1 } }
        if present > limits.connections, let other = lobby.removeOldest() {
            state.withLock { $0.tally.displaced += 1 }
            await other.close()
        }
        do { try await converse(client) } catch let error as UVError where error.code == .timedOut {
            state.withLock { $0.tally.timeouts += 1 }
            // What it has not taken is not to be kept for it.
            await client.closeWithReset()
        }
    }

    private func converse(_ client: TCPConnection) async throws {
        var parser = RequestParser()
        do {
            while let request = try await nextRequest(from: client, &parser) {
                var answer = try await site.answer(to: request.head)
                let isDraining = try await client.isDraining
                let stays = request.keepsConnection && !isDraining
                if !stays {
                    answer.addConnection("close")
                } else if request.version == .http10 {
                    answer.addConnection("keep-alive")
                }
                try await send(answer, to: client)
                if !stays { break }
            }
        } catch let refusal as Refusal {
            try await send(Answer(refusal, [.connection: "close"]), to: client)
        }
        try await leave(client)
    }

    /// The next request; `nil` when the client has gone or is to go.
    private func nextRequest(from client: TCPConnection, _ parser: inout RequestParser) async throws -> Request? {
        if let request = try parser.next() { return request }
        let ticket = lobby.enter(client)
        defer { lobby.leave(ticket) }
        var deadline: LoopClock.Instant?
        while true {
            if !parser.isBetweenRequests, deadline == nil { deadline = .now + limits.request }
            do {
                // Between two requests a server that ends waits for nobody.
                let bytes = try await client.read(
                    upTo: Self.readSize, timeout: deadline.map { $0 - .now }, untilDraining: parser.isBetweenRequests)
                guard let bytes else { return nil }
                parser.append(bytes)
            } catch let error as UVError where error.code == .timedOut {
                state.withLock { $0.tally.timeouts += 1 }
                // Not a reset: the system may still have to send the end of the last answer.
                if parser.isBetweenRequests { return nil }
                throw Refusal(.requestTimeout, "the request did not come in time")
            }
            if let request = try parser.next() { return request }
        }
    }

    private func send(_ answer: Answer, to client: TCPConnection) async throws {
        try await answer.send(to: client, transfers)
        state.withLock {
            $0.tally.requests += 1
            $0.tally.bytes += Int(answer.size)
        }
    }

    /// Lets the last answer arrive: with bytes unread, a close would be a reset, which may overtake it.
    private func leave(_ client: TCPConnection) async throws {
        do {
            let end = LoopClock.Instant.now + Self.farewell
            try await client.finishWriting(timeout: Self.farewell)
            var dropped = 0
            while dropped < RequestLimits().body, let bytes = try await client.read(timeout: end - .now) {
                dropped += bytes.count
            }
        } catch let error as UVError where error.code == .timedOut {}
    }
}
