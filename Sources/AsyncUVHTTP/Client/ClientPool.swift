internal import AsyncUV
internal import Synchronization

/// The connections of a client that wait for their next request, and the seats of each server.
final class ClientPool: Sendable {
    private struct Idle {
        let connection: ClientConnection
        /// Reads, and so notices when the server ends the connection. Whether it can be used is its value, when it has been cancelled.
        let watch: Task<Bool, Never>
    }

    private struct Origin {
        let seats: AsyncSemaphore
        /// Who has a seat or waits for one.
        var users = 0
        var idle: [Idle] = []
    }

    private struct State {
        var origins: [ClientConnection.Key: Origin] = [:]
        var idleCount = 0
        var isClosed = false

        mutating func change<Value>(_ key: ClientConnection.Key, _ body: (inout Origin) -> Value) -> Value? {
            guard var origin = origins[key] else { return nil }
            let before = origin.idle.count
            let value = body(&origin)
            idleCount += origin.idle.count - before
            origins[key] = origin.users == 0 && origin.idle.isEmpty ? nil : origin
            return value
        }
    }

    private let loop: EventLoop
    private let configuration: HTTPClient.Configuration
    private let state = Mutex(State())

    init(_ configuration: HTTPClient.Configuration, on loop: EventLoop) {
        self.configuration = configuration
        self.loop = loop
    }

    deinit {
        // A watch that is cancelled lets its connection go, which closes it.
        for origin in state.withLock({ $0.origins }).values { for idle in origin.idle { idle.watch.cancel() } }
    }

    /// The right to have a connection with a server, while it lives.
    final class Seat: Sendable {
        private let pool: ClientPool
        private let key: ClientConnection.Key

        fileprivate init(_ pool: ClientPool, _ key: ClientConnection.Key) {
            self.pool = pool
            self.key = key
        }

        deinit { pool.leave(key) }
    }

    /// Waits for a seat.
    func enter(_ key: ClientConnection.Key, for url: HTTPURL) async throws -> Seat {
        let seats = state.withLock { state -> AsyncSemaphore? in
            if state.isClosed { return nil }
            var origin =
                state.origins[key]
                ?? Origin(seats: AsyncSemaphore(permits: max(1, configuration.connectionsPerServer), on: loop))
            origin.users += 1
            state.origins[key] = origin
            return origin.seats
        }
        guard let seats else { throw HTTPClientError(.closed, key.host, "the client was closed") }
        do { try await seats.acquire(timeout: configuration.waitTimeout) } catch {
            state.withLock { _ = $0.change(key) { $0.users -= 1 } }
            guard let error = error as? UVError, error.code == .timedOut else { throw error }
            throw HTTPClientError(
                .waitTimeout, url.description,
                "all \(max(1, configuration.connectionsPerServer)) connections were in use for "
                    + "\(configuration.waitTimeout): are their answers read?")
        }
        return Seat(self, key)
    }

    private func leave(_ key: ClientConnection.Key) {
        let seats = state.withLock { state in
            state.change(key) { origin in
                origin.users -= 1
                return origin.seats
            }
        }
        seats?.release()
    }

    /// A connection that is there: the one that was used last, because it is the least likely to be ended.
    func take(_ key: ClientConnection.Key) async -> ClientConnection? {
        while let idle = state.withLock({ $0.change(key) { $0.idle.popLast() } }) ?? nil {
            idle.watch.cancel()
            if await idle.watch.value { return idle.connection }
        }
        return nil
    }

    /// Keeps a connection for a next request.
    func giveBack(_ connection: ClientConnection) async {
        let isKept = state.withLock { state in
            if state.isClosed || state.idleCount >= configuration.idleConnections { return false }
            let watch = watch(connection)
            let isKnown: Void? = state.change(connection.key) {
                $0.idle.append(Idle(connection: connection, watch: watch))
            }
            if isKnown == nil { watch.cancel() }
            return isKnown != nil
        }
        if !isKept { await connection.close() }
    }

    private func watch(_ connection: ClientConnection) -> Task<Bool, Never> {
        let time = configuration.idleTime
        return Task(executorPreference: loop) { [weak self] in
            do { _ = try await connection.read(timeout: time) } catch is CancellationError { return true } catch {}
            // The end, a byte that nobody asked for, or the time is over.
            self?.forget(connection)
            await connection.close()
            return false
        }
    }

    private func forget(_ connection: ClientConnection) {
        state.withLock { state in
            _ = state.change(connection.key) { $0.idle.removeAll { $0.connection === connection } }
        }
    }

    var idleCount: Int { state.withLock { $0.idleCount } }

    func close() async {
        let idle = state.withLock { state -> [Idle] in
            state.isClosed = true
            var idle: [Idle] = []
            for key in Array(state.origins.keys) {
                _ = state.change(key) { origin in
                    idle += origin.idle
                    origin.idle = []
                }
            }
            return idle
        }
        for idle in idle {
            idle.watch.cancel()
            _ = await idle.watch.value
            await idle.connection.close()
        }
    }
}
