import UV

/// One client of the callback server: what it sends goes back to it, no faster than it reads.
final class EchoConnection {
    private let client: StreamHandle
    private let idleTimeout: Duration?
    private var timer: TimerHandle?
    private let onServed: (Int) -> Void

    /// - Parameter onServed: Called with the number of bytes of each answer.
    init(_ client: StreamHandle, idleTimeout: Duration?, onServed: @escaping (Int) -> Void) {
        self.client = client
        self.idleTimeout = idleTimeout
        self.onServed = onServed
    }

    /// Serves the client from now on. The closures keep this object until the connection is closed.
    func start() throws {
        try (client as? TCPHandle)?.setNoDelay(enabled: true)
        try client.startReading(
            onBytes: { [self] _, bytes in echo(bytes) },
            onEnd: { [self] _, error in ended(error) })
        guard let idleTimeout else { return }
        let timer = try TimerHandle(on: client.loop)
        self.timer = timer
        timer.keepsLoopAlive = false
        try timer.start(after: idleTimeout, every: idleTimeout) { [self] _ in close() }
    }

    private func echo(_ bytes: Span<UInt8>) {
        // The server is ending: what comes now is not answered.
        guard client.isWritable else { return }
        do {
            try timer?.restart()
            let outcome = try client.write(bytes) { [self] _, error in written(error) }
            onServed(bytes.count)
            // The client does not read as fast as it sends: wait, do not pile up.
            if outcome == .queued { client.stopReading() }
        } catch { close() }
    }

    private func written(_ error: UVError?) {
        guard error == nil else { return close() }
        do {
            try timer?.restart()
            client.resumeReading()
        } catch { close() }
    }

    /// The client has finished; what it is still to get leaves first.
    private func ended(_ error: UVError?) {
        guard error == nil else { return close() }
        do { try client.finishWriting { [self] _, _ in close() } } catch { close() }
    }

    private func close() {
        client.close()
        timer?.close()
    }
}
