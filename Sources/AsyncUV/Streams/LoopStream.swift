internal import UV

/// A stream of the callback layer on its loop: what every ``StreamConnection`` is made of.
///
/// The work is done here and not in the protocol, because generic code is slower and needs larger frames.
public struct LoopStream: Sendable {
    let loop: EventLoop
    let core: LoopBound<StreamCore>

    /// Takes a connected handle, on the loop.
    init(_ handle: StreamHandle, on loop: EventLoop) {
        self.loop = loop
        core = LoopBound(StreamCore(handle))
    }

    /// Closes the connection: nobody refers to it any more.
    func drop() {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    // MARK: Reading

    @usableFromInline
    func read(upTo limit: Int) async throws -> [UInt8]? {
        // The fast path: a task that lives on the loop.
        if loop.isCurrent {
            try checkCancellation()
            switch try core.lend(on: loop, { try $0.beginOwnersRead(upTo: limit) }) {
            case .bytes(let bytes): return await loop.pass(bytes)
            case .waits: return try await Suspension.wait { suspension in core.lend(on: loop) { $0.wait(suspension) } }
            case nil: break
            }
        }
        return try await readCancellably(upTo: limit, ReadLimits())
    }

    /// A read by a task that is not the owner of the connection's scope.
    private func readCancellably(upTo limit: Int, _ limits: ReadLimits) async throws -> [UInt8]? {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.readCancellably(upTo: limit, limits) }
        }
        try Task.checkCancellation()
        let core = core.open(on: loop)
        switch try core.beginRead(upTo: limit, byOwner: false) {
        case .bytes(let bytes): return await loop.pass(bytes)
        case .waits(let number):
            return try await Suspension.wait(cancelling: ReadCancellation(core, number), on: loop) {
                core.wait($0, limits, on: loop.core.open(on: loop))
            }
        }
    }

    /// As ``read(upTo:)``, for a read that may end before something comes. What is there already costs it nothing more.
    @usableFromInline
    func read(upTo limit: Int, timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]? {
        let limits = ReadLimits(timeout: timeout, untilDraining: untilDraining)
        if loop.isCurrent {
            try checkCancellation()
            switch try core.lend(on: loop, { try $0.beginOwnersRead(upTo: limit) }) {
            case .bytes(let bytes): return await loop.pass(bytes)
            case .waits:
                return try await Suspension.wait { suspension in
                    core.lend(on: loop) { core in
                        loop.core.lend(on: loop) { core.wait(suspension, limits, on: $0) }
                    }
                }
            case nil: break
            }
        }
        return try await readCancellably(upTo: limit, limits)
    }

    @usableFromInline
    func unread(_ bytes: [UInt8]) async throws {
        try await loop.withLoop { _ in core.open(on: loop).giveBack(LineSplitter(bytes)) }
    }

    // MARK: Writing

    @usableFromInline
    func write(_ bytes: [UInt8]) async throws {
        if loop.isCurrent {
            try checkCancellation()
            let sent = try core.lend(on: loop) { try $0.tryWrite(bytes.span) }
            if sent < bytes.count || (bytes.isEmpty && hasQueue) {
                try await writeRest(of: [bytes], from: sent)
            } else if loop.charge(Cost.systemCall + sent) {
                await loop.giveWay()
            }
        } else {
            try await loop.hop { try await self.write(bytes) }
        }
    }

    /// As ``write(_:)``, for so long.
    @usableFromInline
    func write(_ bytes: [UInt8], within timeout: Duration?) async throws {
        guard loop.isCurrent else { return try await loop.hop { try await self.write(bytes, within: timeout) } }
        try checkCancellation()
        let sent = try core.lend(on: loop) { try $0.tryWrite(bytes.span) }
        if sent < bytes.count || (bytes.isEmpty && hasQueue) {
            try await writeRest(of: [bytes], from: sent, within: timeout)
        } else if loop.charge(Cost.systemCall + sent) {
            await loop.giveWay()
        }
    }

    @usableFromInline
    func write(contentsOf chunks: [[UInt8]]) async throws { try await write(contentsOf: chunks, within: nil) }

    @usableFromInline
    func write(contentsOf chunks: [[UInt8]], within timeout: Duration?) async throws {
        guard loop.isCurrent else {
            return try await loop.hop { try await self.write(contentsOf: chunks, within: timeout) }
        }
        try Task.checkCancellation()
        let core = core.open(on: loop)
        let sent = try core.handle.tryWrite(contentsOf: chunks)
        if sent > 0 { core.noteMove() }
        let count = chunks.reduce(0) { $0 + $1.count }
        if sent < count || (count == 0 && hasQueue) {
            try await writeRest(of: chunks, from: sent, within: timeout)
        } else if loop.charge(Cost.systemCall + sent) {
            await loop.giveWay()
        }
    }

    /// Whether earlier writes wait: then one of nothing does so, too.
    var hasQueue: Bool { core.open(on: loop).handle.writeQueueSize > 0 }

    /// Queues the bytes that did not fit, and waits until the system has them. A write whose task is cancelled before its
    /// first byte has left is taken back: otherwise a program that gives up one write after the other, at a peer that does
    /// not read, would fill the memory.
    func writeRest(of chunks: [[UInt8]], from sent: Int, within timeout: Duration? = nil) async throws {
        _ = loop.charge(sent)
        let wait = Wait<Void>("write")
        let handle = core.open(on: loop).handle
        try loop.start(wait) { _ in
            try handle.queueWrite(chunks, droppingFirst: sent, tag: wait) { _, error in
                wait.finish(error.map { .failure(handle.presented($0)) } ?? .success(()))
            }
        }
        wait.onCancel = { [unowned wait] in handle.takeBack(wait) }
        try await end(of: LoopBound(wait), within: timeout)
    }

    @usableFromInline
    func finishWriting() async throws { try await finishWriting(within: nil) }

    @usableFromInline
    func finishWriting(within timeout: Duration?) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.finishWriting(within: timeout) }
        }
        try checkCancellation()
        let wait = Wait<Void>("finishWriting")
        let handle = core.open(on: loop).handle
        try loop.start(wait) { _ in
            try handle.finishWriting { _, error in
                wait.finish(error.map { .failure(handle.presented($0)) } ?? .success(()))
            }
        }
        try await end(of: LoopBound(wait), within: timeout)
    }

    /// Waits until the system has taken what a wait is about, no longer than the connection's idle timeout without a byte.
    private func end(of bound: LoopBound<Wait<Void>>, within timeout: Duration?) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.end(of: bound, within: timeout) }
        }
        let core = core.open(on: loop)
        let wait = bound.open(on: loop)
        core.sendingBegins(wait)
        // A loop that has ended looks at no clock any more.
        defer { if loop.isCurrent { core.sendingEnds(wait) } }
        let handle = core.handle
        let operation = wait.operation
        try await loop.value(of: wait, within: timeout) { handle.writeError(.timedOut, in: operation) }
    }

    // MARK: Limits

    /// Bytes have moved on the connection that did not go through it.
    func noteMove() async { try? await loop.withLoop { _ in core.open(on: loop).noteMove() } }

    @usableFromInline
    func setIdleTimeout(_ timeout: Duration?) async throws {
        if let timeout, timeout <= .zero {
            throw UVError(.invalidArgument, in: "setIdleTimeout", of: "\(timeout)")
        }
        try await loop.withLoop { _ in
            core.open(on: loop).setIdleTimeout(timeout, in: loop.core.open(on: loop).sleeps)
        }
    }

    @usableFromInline
    var idleTimeout: Duration? {
        get async throws { try await loop.withLoop { _ in core.open(on: loop).idleTimeout } }
    }

    @usableFromInline
    var isDraining: Bool {
        get async throws {
            try await loop.withLoop { _ in
                loop.core.open(on: loop).servers.isDraining(core.open(on: loop).server)
            }
        }
    }

    // MARK: Closing

    @usableFromInline
    func close() async { await end { $0.close() } }

    func end(_ end: @escaping @Sendable (StreamCore) -> Void) async {
        if loop.isCurrent { return end(core.open(on: loop)) }
        // A loop that has ended has closed everything.
        try? await loop.hop { end(core.open(on: loop)) }
    }

    // MARK: The handle

    func withHandle<Handle: StreamHandle, Value: Sendable>(
        as type: Handle.Type, _ body: @Sendable (Handle) throws -> Value
    ) async throws -> Value {
        if loop.isCurrent { return try body(handle(as: type)) }
        return try await loop.hop { try body(handle(as: type)) }
    }

    func handle<Handle: StreamHandle>(as: Handle.Type) throws(UVError) -> Handle {
        guard let handle = core.open(on: loop).handle as? Handle else { throw UVError(.notSocket, in: "withHandle") }
        return handle
    }
}
