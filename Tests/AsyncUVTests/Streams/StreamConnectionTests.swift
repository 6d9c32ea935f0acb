import TestSupport
import Testing
import UV

@testable import AsyncUV

/// What all connections and listeners share, with others than TCP: a socket pair, and a listener without a socket.
@Suite(.ownThread) struct StreamConnectionTests {
    /// One end of a socket pair. It has no address.
    private final class PairConnection: HandleConnection {
        typealias Handle = TCPHandle

        let stream: LoopStream
        var description: String { "pair" }

        init(_ handle: TCPHandle, on loop: EventLoop) throws(UVError) { stream = LoopStream(handle, on: loop) }
        deinit { stream.drop() }

        static func pair(on loop: EventLoop) async throws -> (PairConnection, PairConnection) {
            try await loop.withLoop { callbackLoop in
                let (near, far) = try TCPHandle.pair(on: callbackLoop)
                return (try PairConnection(near, on: loop), try PairConnection(far, on: loop))
            }
        }
    }

    /// Connections come when the test says so.
    private final class PairListener: ListeningStream {
        private let loop: Loop
        private var onConnection: ((PairListener, Result<TCPHandle, UVError>) -> Void)?
        private(set) var isClosing = false
        private(set) var isPaused = false

        init(on loop: Loop) { self.loop = loop }

        func listen(
            backlog: Int, onConnection: @escaping (PairListener, Result<TCPHandle, UVError>) -> Void
        ) throws(UVError) { self.onConnection = onConnection }

        func pauseAccepting() { isPaused = true }
        func resumeAccepting() throws(UVError) { isPaused = false }

        func close(onClosed: ((Handle) -> Void)?) {
            isClosing = true
            onConnection = nil
        }

        /// - Returns: The client's end.
        func connect() throws -> TCPHandle {
            let (near, far) = try TCPHandle.pair(on: loop)
            onConnection?(self, .success(far))
            return near
        }

        func fail(_ error: UVError) { onConnection?(self, .failure(error)) }
    }

    /// A server and the way to connect to it.
    private struct PairServer: Sendable {
        let loop: EventLoop
        let source: LoopBound<PairListener>
        let listener: LoopListener<PairListener, PairConnection>

        init(on loop: EventLoop) async throws {
            self.loop = loop
            (source, listener) = try await loop.withLoop { callbackLoop in
                let source = PairListener(on: callbackLoop)
                return (LoopBound(source), try LoopListener(source, backlog: 1, on: loop))
            }
        }

        func connect() async throws -> PairConnection {
            try await loop.withLoop { _ in
                try PairConnection(source.open(on: loop).connect(), on: loop)
            }
        }
    }

    @Test("Reads, writes, lines, a half-close and a copy work on a socket pair as on TCP")
    func pair() throws {
        try onLoop { loop in
            let (near, far) = try await PairConnection.pair(on: loop)
            try await near.write("one\ntwo\n")
            #expect(try await far.readLine() == "one")
            #expect(try await far.readLine() == "two")
            let echo = loop.spawn { try await far.copy(to: far) }
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let writing = loop.spawn {
                try await near.write(bytes)
                try await near.finishWriting()
            }
            var received: [UInt8] = []
            for try await chunk in near { received += chunk }
            #expect(received == bytes)
            #expect(try await echo.value == bytes.count)
            try await writing.value
            #expect("\(near)" == "pair" && near.loop === loop)
        }
    }

    @Test("Cancelled reads, closes and drops end as on TCP")
    func ends() throws {
        try onLoop { loop in
            let (near, far) = try await PairConnection.pair(on: loop)
            let reading = loop.spawn { try await near.read() }
            try await loop.waitUntilIdle()
            reading.cancel()
            #expect(await failure(of: reading) is CancellationError)
            try await near.unread([9])
            #expect(try await near.read() == [9])
            await near.close()
            await expectError(.badFileDescriptor) { try await near.write([1]) }
            #expect(try await far.read() == nil)
            func dropped() async throws -> PairConnection { try await PairConnection.pair(on: loop).0 }
            let left = try await dropped()
            #expect(try await left.read() == nil)
        }
    }

    @Test("serve over a listener of another kind: handlers, errors, the end")
    func serve() throws {
        try onLoop { loop in
            let server = try await PairServer(on: loop)
            let errors = Shared<[String]>([])
            let serving = loop.spawn {
                try await server.listener.serve(
                    maxConnections: .max,
                    onError: { error, peer in errors.change { $0.append("\(error) \(peer != nil)") } }
                ) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.waitUntilIdle()
            let clients = [try await server.connect(), try await server.connect()]
            for (number, client) in clients.enumerated() {
                try await client.write([UInt8(number)])
                #expect(try await client.read() == [UInt8(number)])
            }
            try await loop.withLoop { _ in server.source.open(on: loop).fail(UVError(.tooManyOpenFiles, in: "accept")) }
            let late = try await server.connect()
            try await late.write([7])
            #expect(try await late.read() == [7])
            #expect(errors.value.count == 1 && errors.value[0].hasSuffix("in accept false"))
            await server.listener.close()
            for client in clients + [late] { await client.close() }
            try await serving.value
        }
    }

    @Test("Connections that nobody asks for are accepted ahead, up to 32; then the listener pauses")
    func ahead() throws {
        try onLoop { loop in
            let server = try await PairServer(on: loop)
            var clients: [PairConnection] = []
            for _ in 0..<32 { clients.append(try await server.connect()) }
            #expect(try await loop.withLoop { _ in server.source.open(on: loop).isPaused })
            for client in clients {
                let far = try await server.listener.accept()
                try await client.write([1])
                #expect(try await far?.read() == [1])
            }
            #expect(try await !loop.withLoop { _ in server.source.open(on: loop).isPaused })
            let waiting = loop.spawn { try await server.listener.accept() }
            try await loop.waitUntilIdle()
            await server.listener.close()
            #expect(try await waiting.value == nil)
        }
    }

    @Test("What is there already is accepted without a job of the loop")
    func acceptWithoutAJob() throws {
        try onLoop { loop in
            let server = try await PairServer(on: loop)
            var clients: [PairConnection] = []
            for _ in 0..<10 { clients.append(try await server.connect()) }
            let before = try await loop.counters.jobs
            for _ in 0..<10 { #expect(try await server.listener.accept() != nil) }
            #expect(try await loop.counters.jobs == before)
            await server.listener.close()
        }
    }

    @Test("shutdown(grace:) waits for those who are served")
    func grace() async throws {
        let loop = try EventLoop()
        let server = try await PairServer(on: loop)
        let serving = loop.spawn {
            try await server.listener.serve(maxConnections: 1, onError: { _, _ in }) { connection in
                _ = try await connection.read(exactly: 1)
                try await connection.write([2])
            }
        }
        let client = try await server.connect()
        let answer = Shared<[UInt8]>([])
        let asking = Task {
            try await client.write([1])
            for try await chunk in client { answer.change { $0 += chunk } }
            await client.close()
        }
        await loop.shutdown(grace: .seconds(1_000))
        try await serving.value
        try await asking.value
        #expect(answer.value == [2])
    }
}
