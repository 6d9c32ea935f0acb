package import UV

/// Streams whose bytes go through a filter, such as TLS.
extension LoopStream {
    /// Puts a filter between the socket and the readers and writers. Bytes that came already are the filter's.
    ///
    /// - Parameter make: Makes the filter, on the loop; it gets the name of the peer, if that has one.
    /// - Throws: What it throws; ``UVError`` with `.alreadyInProcess` while the stream is read or has a filter, `.resourceBusy` while
    ///   writes wait, `.socketShutdown`, `.badFileDescriptor`, `.canceled` when the loop has ended.
    package func install<Filter: StreamFilter & Sendable>(
        _ make: @Sendable (String?) throws -> Filter
    ) async throws -> Filter {
        try await loop.withLoop { _ in
            let core = core.open(on: loop)
            let filter = try make(core.handle.peerName)
            try core.install(filter)
            return filter
        }
    }

    /// Waits until a filter that has just been installed can be used.
    ///
    /// - Parameter operation: For the error of a timeout.
    package func waitForFilter(_ operation: StaticString, timeout: Duration?) async throws {
        do { _ = try await read(upTo: 65_536, timeout: timeout, untilDraining: false) } catch {
            throw error.asTimeout(of: operation)
        }
    }

    /// Whether the stream's socket has other bytes than its readers and writers.
    package var isFiltered: Bool {
        get async throws { try await withHandle(as: StreamHandle.self) { $0.isFiltered } }
    }
}
