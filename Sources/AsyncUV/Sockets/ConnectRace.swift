internal import UV

/// Connects to the first of several addresses that answers (RFC 8305, "happy eyeballs").
///
/// Attempts start one after the other, each a little after the one before or at once when that fails. None is given up
/// before another has succeeded: a slow host is still a host.
final class ConnectRace {
    private let loop: Loop
    private let host: String
    private let delay: Duration
    private let makeHandle: (SocketAddress) throws(UVError) -> TCPHandle
    private let onDone: (Result<TCPHandle, UVError>) -> Void
    private var left: ArraySlice<SocketAddress>
    private var running: [TCPHandle] = []
    private var failures: [UVError] = []
    private var timer: TimerHandle?
    private var limit: TimerHandle?
    private var isOver = false

    init(
        _ host: String, _ addresses: [SocketAddress], delay: Duration, on loop: Loop,
        by makeHandle: @escaping (SocketAddress) throws(UVError) -> TCPHandle,
        _ onDone: @escaping (Result<TCPHandle, UVError>) -> Void
    ) {
        self.loop = loop
        self.host = host
        self.delay = delay
        self.makeHandle = makeHandle
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
            let handle = try makeHandle(address)
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
