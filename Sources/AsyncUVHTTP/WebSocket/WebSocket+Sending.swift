internal import AsyncUV
internal import Synchronization
internal import UV

extension WebSocket {
    /// Sends a text, and returns when the system has it.
    ///
    /// - Throws: ``WebSocketError`` after the end of the conversation. Otherwise as `ByteStream.write(_:)`.
    ///
    /// Cancellation: a message that has begun leaves as a whole, of one that still waits for others nothing is sent; the
    /// conversation can go on in either case.
    public func send(_ text: String) async throws { try await send(.text, text.utf8.span) }

    /// Sends bytes. Otherwise as ``send(_:)-(String)``.
    public func send(_ bytes: [UInt8]) async throws {
        guard role == .server, bytes.count > 8_192 else { return try await send(.binary, bytes.span) }
        // Not copied.
        try await onLoop {
            try self.checkOpen()
            let header = WebSocketFrame.header(.binary, bytes.count, key: nil)
            try await self.stream.write(contentsOf: [header, bytes])
        }
    }

    /// Sends lent bytes. Otherwise as ``send(_:)-(String)``.
    public func send(_ bytes: Span<UInt8>) async throws { try await send(.binary, bytes) }

    /// Sends a message. Otherwise as ``send(_:)-(String)``.
    public func send(_ message: WebSocketMessage) async throws {
        switch message {
        case .text(let text): try await send(text)
        case .binary(let bytes): try await send(bytes)
        }
    }

    /// Sends a ping, which the peer's system answers; the answer says nothing but that the peer lives. See
    /// ``keepAlive(every:timeout:)``.
    ///
    /// - Parameter payload: 125 bytes at most.
    /// - Throws: ``UVError`` with `.invalidArgument` for more. Otherwise as ``send(_:)-(String)``.
    public func ping(_ payload: [UInt8] = []) async throws {
        guard payload.count <= 125 else {
            throw UVError(.invalidArgument, in: "ping", of: "\(payload.count) bytes, which are more than 125")
        }
        try await send(.ping, payload.span)
    }

    private func send(_ opcode: WebSocketOpcode, _ payload: Span<UInt8>) async throws {
        let frame = frame(opcode, payload)
        if stream.loop.isCurrent {
            try checkOpen()
            try await stream.write(frame)
        } else {
            try await onLoop {
                try self.checkOpen()
                try await self.stream.write(frame)
            }
        }
    }

    /// Where nothing comes between the look at the state and the place of the write in the queue: nothing leaves after a close frame.
    private func onLoop(_ body: @Sendable () async throws -> Void) async throws {
        if stream.loop.isCurrent { return try await body() }
        try await withTaskExecutorPreference(stream.loop) { try await body() }
    }

    private func checkOpen() throws {
        try core.withLock { core throws in
            if case .failed(let error) = core.end { throw error }
            if core.sentClose {
                throw WebSocketError(.closed, core.closeCode ?? .noStatus, core.closeReason)
            }
        }
    }

    func frame(_ opcode: WebSocketOpcode, _ payload: Span<UInt8>) -> [UInt8] {
        WebSocketFrame.bytes(opcode, payload, key: role == .client ? core.withLock { $0.nextKey() } : nil)
    }

    /// Answers pings, in a task of its own: a reader that waits for room, at a peer whose reader waits for room, would wait
    /// for ever.
    func sendPongs() async {
        while let payload = core.withLock({ $0.takePong() }) {
            // The reader sees what is wrong with the stream.
            try? await stream.write(frame(.pong, payload.span))
        }
    }
}
