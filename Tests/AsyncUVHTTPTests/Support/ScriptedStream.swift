import AsyncUV
import Synchronization
import UV

/// A stream in memory: what a peer sends is given in chunks, what it gets is kept.
final class ScriptedStream: ByteStream {
    private struct State {
        var incoming: [[UInt8]]
        var outgoing: [UInt8] = []
        var isFinished = false
        var isClosed = false
        /// How many reads have had their turn.
        var readCount = 0
    }

    let loop: EventLoop
    private let state: Mutex<State>

    /// - Parameter chunks: One for each read; afterwards the stream ends.
    init(_ chunks: [[UInt8]], on loop: EventLoop) {
        self.loop = loop
        state = Mutex(State(incoming: chunks))
    }

    /// What was written.
    var written: [UInt8] { state.withLock { $0.outgoing } }
    var isClosed: Bool { state.withLock { $0.isClosed } }
    var readCount: Int { state.withLock { $0.readCount } }

    func read(upTo limit: Int) async throws -> [UInt8]? {
        // What was started for the last chunk gets its turn.
        for _ in 0..<10 { await Task.yield() }
        try Task.checkCancellation()
        return try state.withLock { state throws in
            if state.isClosed { throw UVError(.badFileDescriptor, in: "read", of: "a script") }
            state.readCount += 1
            guard let first = state.incoming.first else { return nil }
            if first.count <= limit { return state.incoming.removeFirst() }
            state.incoming[0] = Array(first[limit...])
            return Array(first[..<limit])
        }
    }

    func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        try state.withLock { state throws in
            if state.isClosed { throw UVError(.badFileDescriptor, in: "write", of: "a script") }
            state.outgoing += bytes
        }
    }

    func write(contentsOf chunks: [[UInt8]]) async throws { try await write(Array(chunks.joined())) }

    func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? { fatalError("not in the script") }
    func readLine(limit: Int) async throws -> String? { fatalError("not in the script") }
    func readLineBytes(limit: Int) async throws -> [UInt8]? { fatalError("not in the script") }
    func unread(_ bytes: [UInt8]) async throws { state.withLock { $0.incoming.insert(bytes, at: 0) } }
    func finishWriting() async throws { state.withLock { $0.isFinished = true } }
    func close() async { state.withLock { $0.isClosed = true } }

    struct AsyncIterator: AsyncIteratorProtocol {
        let stream: ScriptedStream

        func next() async throws -> [UInt8]? { try await stream.read() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
