internal import UV

/// The connections of a listener as they are asked for: the sequence behind ``TCPListener/connections``.
struct Connections<Listening: ListeningStream, Connection: HandleConnection>: AsyncSequence, Sendable
where Connection.Handle == Listening.Accepted {
    typealias Element = Connection
    typealias Failure = any Error
    let listener: LoopListener<Listening, Connection>
    /// The listener that the user has, which would close without a reference.
    let owner: any AnyObject & Sendable

    struct AsyncIterator: AsyncIteratorProtocol {
        let connections: Connections

        func next() async throws -> Connection? {
            while true {
                do { return try await connections.listener.accept() } catch let error as UVError where error.isPassing {
                    ServeReport.write(error, of: nil)
                }
            }
        }

        // As in StreamChunks.
        nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Connection? {
            try await next()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connections: self) }
}
