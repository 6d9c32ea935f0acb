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
        let serving = loop.spawn { try await self.serve(listener) }
        printLine("listening on \(listener.localAddress)")
        _ = try await signals.next()
        await listener.close()
        await lobby.close()
        let end = loop.spawn {
            try await loop.sleep(for: Self.grace)
            serving.cancel()
        }
        _ = await serving.result
        end.cancel()
    }

    /// Serves the connections of a listener until that is closed.
    func serve(_ listener: TCPListener) async throws {
        try await listener.serve(maxConnections: limits.connections + Self.overlap, onError: Self.report) { client in
            try await self.serve(client)
        }
    }

    private static let report: @Sendable (any Error, SocketAddress?) -> Void = { error, peer in
        // A client that was displaced in the moment in which its request came.
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
                let stays = request.keepsConnection && !lobby.isClosed
                if !stays {
                    answer.response.headerFields[.connection] = "close"
                } else if request.version == .http10 {
                    answer.response.headerFields[.connection] = "keep-alive"
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
        guard let ticket = lobby.enter(client) else { return nil }
        defer { lobby.leave(ticket) }
        var deadline: LoopClock.Instant?
        while true {
            if !parser.isBetweenRequests, deadline == nil { deadline = .now + limits.request }
            let idle = LoopClock.Instant.now + limits.idle
            do {
                let bytes = try await withDeadline(min(idle, deadline ?? idle)) {
                    try await client.read(upTo: Self.readSize)
                }
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
        try await Patience.limit(idle: limits.idle, on: client.loop) { try await answer.send(to: client, $0) }
        state.withLock {
            $0.tally.requests += 1
            $0.tally.bytes += Int(answer.size)
        }
    }

    /// Lets the last answer arrive: with bytes unread, a close would be a reset, which may overtake it.
    private func leave(_ client: TCPConnection) async throws {
        do {
            try await client.finishWriting()
            try await withTimeout(Self.farewell) {
                var dropped = 0
                while dropped < RequestLimits().body, let bytes = try await client.read() { dropped += bytes.count }
            }
        } catch let error as UVError where error.code == .timedOut {}
    }
}
