public import UV

/// A TCP connection. Dropping the last reference closes it, as ``close()`` does.
public final class TCPConnection: ByteStream {
    public typealias Element = [UInt8]

    /// The loop that the connection lives on.
    public let loop: EventLoop
    /// The address of this side.
    public let localAddress: SocketAddress
    /// The address of the other side.
    public let remoteAddress: SocketAddress
    let core: LoopBound<StreamCore>

    /// Takes a connected handle, on the loop. Closes it when it has lost its peer already.
    init(_ handle: TCPHandle, on loop: EventLoop) throws(UVError) {
        do throws(UVError) {
            localAddress = try handle.localAddress
            remoteAddress = if let peer = handle.peer { peer } else { try handle.remoteAddress }
        } catch {
            handle.close()
            throw error
        }
        self.loop = loop
        core = LoopBound(StreamCore(handle))
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    // MARK: Reading

    public func read(upTo limit: Int) async throws -> [UInt8]? {
        // The fast path: a task that lives on the loop.
        if loop.isCurrent {
            try checkCancellation()
            switch try core.lend(on: loop, { try $0.beginOwnersRead(upTo: limit) }) {
            case .bytes(let bytes): return await loop.pass(bytes)
            case .waits: return try await Suspension.wait { suspension in core.lend(on: loop) { $0.wait(suspension) } }
            case nil: break
            }
        }
        return try await readCancellably(upTo: limit)
    }

    /// A read by a task that is not the owner of the connection's scope.
    private func readCancellably(upTo limit: Int) async throws -> [UInt8]? {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.readCancellably(upTo: limit) }
        }
        try Task.checkCancellation()
        let core = core.open(on: loop)
        switch try core.beginRead(upTo: limit, byOwner: false) {
        case .bytes(let bytes): return await loop.pass(bytes)
        case .waits(let number):
            // Nothing may come between the start of the read and the wait: withTaskCancellationHandler may switch
            // executors, and bytes that come meanwhile would find nobody waiting.
            return try await Suspension.wait(cancelling: ReadCancellation(core, number), on: loop) { core.wait($0) }
        }
    }

    public func read(upTo limit: Int, through delimiter: UInt8) async throws -> [UInt8]? {
        guard loop.isCurrent else { return try await loop.hop { try await self.read(upTo: limit, through: delimiter) } }
        try Task.checkCancellation()
        let core = core.open(on: loop)
        if let bytes = try core.takeReturned(limit, through: delimiter) { return await loop.pass(bytes) }
        guard let bytes = try await read(upTo: limit) else { return nil }
        guard let end = bytes.firstIndex(of: delimiter), end + 1 < bytes.count else { return bytes }
        try await unread(Array(bytes[(end + 1)...]))
        return Array(bytes[...end])
    }

    public func unread(_ bytes: [UInt8]) async throws {
        try await loop.withLoop { _ in self.core.open(on: self.loop).giveBack(bytes) }
    }

    /// Yields chunks as they come, up to 65,536 bytes each.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let connection: TCPConnection

        public func next() async throws -> [UInt8]? { try await connection.read(upTo: 65_536) }

        // Without it a caller leaves its actor for each chunk, and with it perhaps the loop. Not `isolated`: it would have to
        // switch back to its executor, 250 instructions a chunk. This comes back.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await connection.read(upTo: 65_536)
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connection: self) }

    // MARK: Writing

    public func write(_ bytes: [UInt8]) async throws {
        if loop.isCurrent {
            try checkCancellation()
            let sent = try core.lend(on: loop) { try $0.handle.tryWrite(bytes.span) }
            if sent < bytes.count || (bytes.isEmpty && hasQueue) {
                try await writeRest(of: [bytes], from: sent)
            } else if loop.charge(Cost.systemCall + sent) {
                await loop.giveWay()
            }
        } else {
            try await loop.hop { try await self.write(bytes) }
        }
    }

    public func write(contentsOf chunks: [[UInt8]]) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.write(contentsOf: chunks) } }
        try Task.checkCancellation()
        let sent = try core.open(on: loop).handle.tryWrite(contentsOf: chunks)
        let count = chunks.reduce(0) { $0 + $1.count }
        if sent < count || (count == 0 && hasQueue) {
            try await writeRest(of: chunks, from: sent)
        } else if loop.charge(Cost.systemCall + sent) {
            await loop.giveWay()
        }
    }

    /// Whether earlier writes wait: then one of nothing does so, too.
    private var hasQueue: Bool { core.open(on: loop).handle.writeQueueSize > 0 }

    /// Queues what did not fit, at once, and waits for room. Given up before it has begun, nothing of it is sent: else
    /// writes that are given up one after the other, at a peer that does not read, would fill the memory.
    private func writeRest(of chunks: [[UInt8]], from sent: Int) async throws {
        _ = loop.charge(sent)
        let wait = Wait<Void>("write")
        let handle = core.open(on: loop).handle
        try loop.start(wait) { _ in
            try handle.queueWrite(chunks, droppingFirst: sent, tag: wait) { _, error in
                wait.finish(error.map { .failure($0) } ?? .success(()))
            }
        }
        wait.onCancel = { [unowned wait] in handle.takeBack(wait) }
        if loop.hostsCurrentTask { return try await loop.value(of: wait) }
        let bound = LoopBound(wait)
        try await loop.hop { try await self.loop.value(of: bound.open(on: self.loop)) }
    }

    public func finishWriting() async throws {
        try await loop.perform("finishWriting") { _, pending in
            try self.core.open(on: self.loop).handle.finishWriting { _, error in
                pending.finish(error.map { .failure($0) } ?? .success(()))
            }
        }
    }

    // MARK: Closing

    public func close() async { await end { $0.close() } }

    /// Closes with a reset: the peer gets `.connectionReset`, and what it has not read yet is lost, as are unsent bytes.
    /// Nothing lives on. Otherwise as ``close()``.
    public func closeWithReset() async { await end { $0.closeWithReset() } }

    private func end(_ end: @escaping @Sendable (StreamCore) -> Void) async {
        if loop.isCurrent { return end(core.open(on: loop)) }
        // A loop that has ended has closed everything.
        try? await loop.hop { end(self.core.open(on: self.loop)) }
    }

    // MARK: Options

    /// Sends small writes at once instead of waiting for more (TCP_NODELAY).
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed.
    public func setNoDelay(enabled: Bool) async throws {
        // Direct where it can be: the frames of deep calls would cost each connection's task another KiB for good.
        if loop.isCurrent { return try handle().setNoDelay(enabled: enabled) }
        try await withHandle { try $0.setNoDelay(enabled: enabled) }
    }

    /// Detects peers that vanished without a word; `nil` turns it off.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers out of range, `.badFileDescriptor` when closed.
    public func setKeepAlive(_ keepAlive: KeepAlive?) async throws {
        if loop.isCurrent { return try handle().setKeepAlive(keepAlive) }
        try await withHandle { try $0.setKeepAlive(keepAlive) }
    }

    /// Runs callback-layer code on the connection's handle, for what has no async form. A closed one's functions throw
    /// `.badFileDescriptor`.
    ///
    /// - Throws: What the body throws; ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; the body does not suspend.
    public func withHandle<Value: Sendable>(_ body: @Sendable (TCPHandle) throws -> Value) async throws -> Value {
        if loop.isCurrent { return try body(handle()) }
        return try await loop.hop { try body(self.handle()) }
    }

    private func handle() throws(UVError) -> TCPHandle {
        guard let handle = core.open(on: loop).handle as? TCPHandle else { throw UVError(.notSocket, in: "withHandle") }
        return handle
    }
}

extension TCPConnection: CustomStringConvertible {
    /// For people: `TCP connection of 127.0.0.1:51234 with 127.0.0.1:7000`.
    public var description: String { "TCP connection of \(localAddress) with \(remoteAddress)" }
}
