internal import AsyncUV
internal import Synchronization

/// A connection of the loop's in front of a stream of any other kind: two tasks copy between it and the stream.
final class StreamBridge: Sendable {
    private struct State {
        /// The near end is closed.
        var isClosed = false
        /// The stream has everything that was written.
        var hasAll = false
        /// The stream is closed, or is being closed.
        var hasEnded = false
        var copying: Task<Void, Never>?
        var clock: Task<Void, Never>?
    }

    private let stream: any ByteStream
    private let grace: Duration
    private let state = Mutex(State())

    /// - Parameter grace: How long the stream may take for what was written before the near end was closed: as long as TCP waits for its peer.
    init(over stream: some ByteStream, grace: Duration = .seconds(30)) {
        self.stream = stream
        self.grace = grace
    }

    /// - Returns: The end that TLS is put on.
    func open() async throws -> LocalConnection {
        let loop = stream.loop
        let (near, far) = try await LocalConnection.pair(on: loop)
        let stream = stream
        let copying = Task(executorPreference: loop) {
            await withDiscardingTaskGroup { group in
                group.addTask(executorPreference: loop) {
                    // An error is an end, too: TLS tells it from a clean one.
                    await Self.copy(stream, to: far)
                    try? await far.finishWriting()
                }
                group.addTask(executorPreference: loop) {
                    await Self.copy(far, to: stream)
                    await self.hasWrittenAll()
                }
            }
            await far.close()
        }
        state.withLock { $0.copying = copying }
        return near
    }

    private static func copy(_ source: some ByteStream, to destination: some ByteStream) async {
        _ = try? await source.copy(to: destination)
    }

    private func hasWrittenAll() async {
        let isClosed = state.withLock { state in
            state.hasAll = true
            return state.isClosed
        }
        if isClosed { await end(isWhole: true) }
    }

    /// The near end is closed: the stream is, too, when it has everything that was written, or has taken too long for it.
    func close() {
        let (isFirst, hasAll) = state.withLock { state in
            defer { state.isClosed = true }
            return (!state.isClosed, state.hasAll)
        }
        if !isFirst { return }
        let (loop, grace) = (stream.loop, grace)
        let clock = Task(executorPreference: loop) {
            if !hasAll {
                // Cancelled when everything has been written.
                do { try await loop.sleep(for: grace) } catch { return }
            }
            await self.end(isWhole: hasAll)
        }
        let hasEnded = state.withLock { state in
            state.clock = clock
            return state.hasEnded
        }
        if hasEnded { clock.cancel() }
    }

    /// The near end is closed: the stream is closed at once, whatever it has not taken.
    func abort() async {
        state.withLock { $0.isClosed = true }
        await end(isWhole: false)
    }

    /// - Parameter isWhole: Whether the peer has got everything that was written.
    private func end(isWhole: Bool) async {
        let (isFirst, copying, clock) = state.withLock { state in
            defer { state.hasEnded = true }
            return (!state.hasEnded, state.copying, state.clock)
        }
        if !isFirst { return }
        clock?.cancel()
        if !isWhole, let served = stream as? any ServedStream { await served.abort() } else { await stream.close() }
        // A stream of the user's own may let its readers and writers wait on.
        copying?.cancel()
    }
}
