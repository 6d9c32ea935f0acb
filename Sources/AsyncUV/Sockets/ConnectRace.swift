internal import UV

/// Connects to the first of several addresses that answers (RFC 8305, "happy eyeballs").
///
/// Attempts start one after the other, each a little after the one before or at once when that fails. None is given up
/// before another has succeeded: a slow host is still a host.
final class ConnectRace {
    private let loop: Loop
    private let host: String
    private let delay: Duration
    private let onDone: (Result<TCPHandle, UVError>) -> Void
    private var left: ArraySlice<SocketAddress>
    private var running: [TCPHandle] = []
    private var failures: [UVError] = []
    private var timer: TimerHandle?
    private var limit: TimerHandle?
    private var isOver = false

    init(
        _ host: String, _ addresses: [SocketAddress], delay: Duration, on loop: Loop,
        _ onDone: @escaping (Result<TCPHandle, UVError>) -> Void
    ) {
        self.loop = loop
        self.host = host
        self.delay = delay
        self.onDone = onDone
        left = Self.alternating(addresses)[...]
    }

    /// Families take turns, beginning with the first address's, so that a broken one costs one delay only.
    static func alternating(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let family = addresses.first?.family else { return [] }
        var preferred = addresses.filter { $0.family == family }[...]
        var others = addresses.filter { $0.family != family }[...]
        var result: [SocketAddress] = []
        while !preferred.isEmpty || !others.isEmpty {
            if let address = preferred.popFirst() { result.append(address) }
            if let address = others.popFirst() { result.append(address) }
        }
        return result
    }

    /// Starts the first attempt.
    ///
    /// - Parameter deadline: When all of them end.
    func start(until deadline: LoopClock.Instant?) {
        if let deadline {
            do throws(UVError) {
                let limit = try TimerHandle(on: loop)
                self.limit = limit
                try limit.start(after: (deadline - .now).forTimer) { [weak self] _ in self?.timedOut() }
            } catch {
                cancel()
                return onDone(.failure(error))
            }
        }
        next()
    }

    /// Starts the next attempt and the clock for the one after it.
    private func next() {
        guard !isOver, let address = left.popFirst() else { return }
        do throws(UVError) {
            let handle = try TCPHandle(on: loop)
            running.append(handle)
            do throws(UVError) {
                try handle.connect(to: address) { handle, error in self.finished(handle, error) }
            } catch {
                finished(handle, error)
                return
            }
            guard !left.isEmpty else { return }
            if timer == nil { timer = try TimerHandle(on: loop) }
            try timer?.start(after: delay) { [weak self] _ in self?.next() }
        } catch { failed(error) }
    }

    func cancel() {
        isOver = true
        timer?.close()
        timer = nil
        limit?.close()
        limit = nil
        for handle in running { handle.close() }
        running = []
    }

    private func finished(_ handle: TCPHandle, _ error: UVError?) {
        guard let index = running.firstIndex(where: { $0 === handle }), !isOver else { return }
        running.remove(at: index)
        if let error {
            handle.close()
            return failed(error)
        }
        cancel()
        onDone(.success(handle))
    }

    private func failed(_ error: UVError) {
        failures.append(error)
        if !left.isEmpty { return next() }
        guard running.isEmpty else { return }
        cancel()
        onDone(.failure(summary))
    }

    private func timedOut() {
        cancel()
        onDone(.failure(UVError(.timedOut, in: "connect", of: failures.isEmpty ? host : "\(host) (\(attempts))")))
    }

    /// One error for all attempts; the first decides the code.
    private var summary: UVError {
        guard failures.count != 1 else { return failures[0] }
        return UVError(failures[0].code, in: "connect", of: "\(host) (\(attempts))")
    }

    private var attempts: String { failures.map { "\($0)" }.joined(separator: "; ") }
}

extension TCPConnection {
    /// Connects to a host.
    ///
    /// Names are looked up off the loop; their addresses are tried in turns of families, a quarter of a second apart,
    /// and the first to answer wins.
    ///
    /// - Parameter host: A numeric address or a name.
    /// - Parameter timeout: The time for look-up and connect together; `nil` leaves it to the system: minutes.
    /// - Throws: ``UVError`` with `.connectionRefused` and relatives or `.timedOut` (with every attempt that failed in its
    ///   text), what the look-up failed with, `.invalidArgument` for a name that cannot be one, `.canceled` when the loop ends.
    ///
    /// Cancellation: all attempts are closed.
    ///
    /// Calls `uv_tcp_connect`; looks up with `getaddrinfo`, on a thread of ``Resolver``.
    public static func connect(
        host: String, port: UInt16, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        guard let timeout else {
            let addresses = try await Resolver.addresses(of: host, port: port, on: loop)
            return try await connect(host, to: addresses, on: loop)
        }
        let deadline = LoopClock.Instant.now.advanced(by: timeout)
        let addresses: [SocketAddress]
        do {
            addresses = try await withDeadline(deadline, on: loop) {
                try await Resolver.addresses(of: host, port: port, on: loop)
            }
        } catch let error as UVError where error.code == .timedOut {
            throw UVError(.timedOut, in: "connect", of: "\(host):\(port), still being looked up")
        }
        return try await connect("\(host):\(port)", to: addresses, until: deadline, on: loop)
    }

    /// Connects to an address. Otherwise as ``connect(host:port:timeout:on:)``.
    public static func connect(
        to address: SocketAddress, on loop: EventLoop = .current ?? .shared
    ) async throws -> TCPConnection {
        try await connect(address.host, to: [address], on: loop)
    }

    static func connect(
        _ host: String, to addresses: [SocketAddress], until deadline: LoopClock.Instant? = nil,
        delay: Duration = .milliseconds(250), on loop: EventLoop
    ) async throws -> TCPConnection {
        try await loop.perform("connect") { core, pending in
            let race = ConnectRace(host, addresses, delay: delay, on: core.loop) { result in
                pending.finish(
                    Result { try TCPConnection(result.get(), on: loop) })
            }
            pending.onCancel = race.cancel
            race.start(until: deadline)
        }
    }
}
