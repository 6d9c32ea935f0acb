internal import AsyncUV
internal import Synchronization

/// A connection of the loop's in front of a stream of any other kind: two tasks copy between it and the stream.
final class StreamBridge: Sendable {
    private struct State {
        var isClosed = false
        /// Whether the stream has everything that was written.
        var hasAll = false
    }

    private let stream: any ByteStream
    private let state = Mutex(State())

    init(over stream: some ByteStream) { self.stream = stream }

    /// - Returns: The end that TLS is put on.
    func open() async throws -> LocalConnection {
        let loop = stream.loop
        let (near, far) = try await LocalConnection.pair(on: loop)
        let stream = stream
        Task(executorPreference: loop) {
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
        if isClosed { await stream.close() }
    }

    /// The near end is closed: the stream is, too, when it has everything that was written.
    func close() {
        let isNow = state.withLock { state in
            let isNow = state.hasAll && !state.isClosed
            state.isClosed = true
            return isNow
        }
        let stream = stream
        if isNow { Task(executorPreference: stream.loop) { await stream.close() } }
    }
}
