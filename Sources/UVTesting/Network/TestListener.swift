public import AsyncUV

/// What accepts connections of a ``TestNetwork``: the shape of a `TCPListener`. Dropping the last reference closes it.
public final class TestListener: Sendable, CustomStringConvertible {
    /// The loop of the test.
    public let loop: EventLoop
    /// The address that others connect to.
    public let localAddress: SocketAddress
    private let core: Bound<AcceptCore>

    init(_ core: AcceptCore) {
        loop = core.network.test.loop
        localAddress = core.address
        self.core = Bound(core)
    }

    deinit { core.drop(on: loop) { $0.close() } }

    /// For people: `listener on 10.0.0.2:80`.
    public var description: String { "listener on \(localAddress)" }

    /// Takes the next connection; `nil` when the listener has been closed.
    ///
    /// - Parameter timeout: How long to wait, `nil` for ever.
    /// - Throws: `UVError` with `.tooManyOpenFiles` at the network's ``TestNetwork/descriptorLimit``, or what
    ///   ``TestNetwork/failNext(_:with:)`` says: the connection is there for the next call. `.timedOut`, `.canceled` when the loop
    ///   ends.
    ///
    /// Cancellation: no connection is lost.
    public func accept(timeout: Duration? = nil) async throws -> TestConnection? {
        let end = timeout.map { loop.clock.now.advanced(by: $0) }
        while true {
            try await loop.wait("accept", of: "\(localAddress)", within: end.map { $0 - loop.clock.now }) {
                core.open(on: loop).awaitConnection($0)
            }
            let taken = try await loop.withLoop { _ in
                let core = core.open(on: loop)
                return (try core.take(), core.isClosed)
            }
            if let connection = taken.0 { return connection }
            if taken.1 { return nil }
        }
    }

    /// The connections as they are asked for; the sequence ends when the listener is closed. It waits through a lack of descriptors.
    public var connections: some AsyncSequence<TestConnection, any Error> & Sendable { Accepted(listener: self) }

    /// Serves each connection in a child task on the loop and closes it when the handler ends. After ``close()`` no new connections
    /// come, and the call returns when those there are have been served. Cancelling the task cancels all handlers.
    ///
    /// - Parameter onError: Gets what a handler threw, with the connection's peer, and a lack of descriptors or the like,
    ///   without one.
    /// - Throws: `CancellationError` when cancelled, `UVError` with `.canceled` when the loop ends.
    public func serve(
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = { _, _ in },
        _ handler: @escaping @Sendable (TestConnection) async throws -> Void
    ) async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while true {
                do {
                    guard let connection = try await accept() else { return }
                    group.addTask(executorPreference: loop) {
                        do { try await handler(connection) } catch { onError(error, connection.remoteAddress) }
                        await connection.close()
                    }
                } catch let error as UVError where error.isPassing {
                    onError(error, nil)
                    try await waitForDescriptor()
                }
            }
        }
    }

    fileprivate func waitForDescriptor() async throws {
        try await loop.wait("accept", of: "\(localAddress)") { core.open(on: loop).awaitDescriptor($0) }
    }

    /// Stops listening: connections that nobody has accepted are reset. Closing twice is harmless.
    public func close() async { try? await loop.withLoop { _ in core.open(on: loop).close() } }
}

private struct Accepted: AsyncSequence, Sendable {
    typealias Element = TestConnection
    typealias Failure = any Error
    let listener: TestListener

    struct AsyncIterator: AsyncIteratorProtocol {
        let listener: TestListener

        func next() async throws -> TestConnection? {
            while true {
                do { return try await listener.accept() } catch let error as UVError where error.isPassing {
                    try await listener.waitForDescriptor()
                }
            }
        }

        nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> TestConnection? {
            try await next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(listener: listener) }
}

extension UVError {
    /// Whether accepting goes on, as that of a `TCPListener` does.
    fileprivate var isPassing: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory, .notPermitted].contains(code)
    }
}
