internal import CPlatform
public import UV

/// Messages of bytes and descriptors between processes of this machine, over a local socket.
///
/// Whoever receives a descriptor goes on with it: ``TCPConnection/open(_:on:)-(PassedDescriptor,_)``, ``TCPListener``,
/// ``LocalConnection``, ``LocalListener`` have an `open` for it.
///
/// ```swift
/// // In the program that accepts:
/// try await channel.send([1], handingOver: connection)
/// // In the program that serves:
/// while let message = try await channel.receive() {
///     for passed in message.descriptors { serve(try await TCPConnection.open(passed)) }
/// }
/// ```
///
/// The two ends of ``pair(on:)`` keep the boundaries of messages. Over a socket for streams, such as that of a ``LocalConnection``,
/// they are not kept: one message may come in pieces, and several as one; but none is mixed with another, and descriptors come in the
/// same message as the first byte that they were sent with. Dropping the last reference closes the channel.
public final class LocalChannel: Sendable {
    /// The loop that the channel lives on.
    public let loop: EventLoop
    /// The process at the other end when the socket was connected. That of a pair is the process which made the pair.
    public let peerCredentials: PeerCredentials
    private let core: LoopBound<LocalChannelCore>

    private init(_ core: LocalChannelCore, _ peer: PeerCredentials, on loop: EventLoop) {
        self.core = LoopBound(core)
        peerCredentials = peer
        self.loop = loop
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    // MARK: Making

    /// Two channels that are connected with each other.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles`, `.canceled` when the loop has ended.
    ///
    /// Calls the system's `socketpair`.
    public static func pair(on loop: EventLoop = .current ?? .shared) async throws -> (LocalChannel, LocalChannel) {
        let (near, far) = try await pairWithDescriptor(on: loop)
        do { return (near, try await open(far, on: loop)) } catch {
            try? far.close()
            throw error
        }
    }

    /// A channel, and the descriptor at its other end for another process, which opens it with ``open(_:on:)-(FileDescriptor,_)``. The
    /// caller closes the descriptor when that process has it; it is closed on exec.
    ///
    /// - Throws: As ``pair(on:)``.
    public static func pairWithDescriptor(
        on loop: EventLoop = .current ?? .shared
    ) async throws -> (LocalChannel, FileDescriptor) {
        let (near, far) = try LocalMessage.pair()
        do { return (try await open(near, on: loop), far) } catch {
            try? near.close()
            try? far.close()
            throw error
        }
    }

    /// Takes over a connected local socket, for streams or for messages (`SOCK_SEQPACKET`). The channel closes it from now on.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket` for one of another kind, `.socketNotConnected`,
    ///   `.tooManyOpenFiles`: the descriptor stays the caller's then.
    ///
    /// Cancellation: a cancelled task takes nothing over.
    public static func open(
        _ descriptor: FileDescriptor, on loop: EventLoop = .current ?? .shared
    ) async throws -> LocalChannel {
        try Task.checkCancellation()
        return try await loop.making("open") { callbackLoop in
            try LocalMessage.checkSocket(descriptor)
            let peer = try PeerCredentials(ofPeerOf: descriptor)
            let core = try LocalChannelCore(descriptor, on: callbackLoop)
            // The core has a duplicate.
            try? descriptor.close()
            return LocalChannel(core, peer, on: loop)
        }
    }

    /// Goes on with the socket of a connection, which is closed without ending it.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when the connection has bytes that were read and not taken, or written and not sent,
    ///   or is being read; `.badFileDescriptor` when it is closed. Otherwise as ``open(_:on:)-(FileDescriptor,_)``. The connection can
    ///   be used on then.
    public static func open(_ connection: LocalConnection) async throws -> LocalChannel {
        let copy = try await connection.stream.duplicateToHandOver()
        do {
            let channel = try await open(copy, on: connection.loop)
            await connection.stream.closeHandedOver()
            return channel
        } catch {
            try? copy.close()
            throw error
        }
    }

    // MARK: Sending

    /// Sends bytes, and descriptors with the first of them. The receiver gets descriptors of its own for the same files; those of
    /// the caller stay open, and the caller's, who keeps them open until the call has ended.
    ///
    /// Messages of several tasks leave one after the other. One that is larger than the system takes at once, and would never leave
    /// over a socket for messages, is an error.
    ///
    /// - Parameter descriptors: 253 at most.
    /// - Parameter timeout: How long to wait for room; `nil` for ever.
    /// - Throws: ``UVError`` with `.brokenPipe` or `.connectionReset` when the peer is gone, `.invalidArgument` for no bytes or too many
    ///   descriptors, `.messageTooLong`, `.timedOut`, `.badFileDescriptor` for a descriptor or channel that is closed.
    ///
    /// Cancellation and timeout: nothing has been sent, or, over a socket for streams, the message leaves as a whole.
    public func send(
        _ bytes: [UInt8], descriptors: [FileDescriptor] = [], timeout: Duration? = nil
    ) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.send(bytes, descriptors: descriptors, timeout: timeout) }
        }
        let time = TimeLeft(timeout)
        var isTurn = false
        while true {
            try checkCancellation()
            guard loop.isCurrent else { throw loop.ended("send") }
            let core = core.open(on: loop)
            let socket = try core.descriptor("send")
            if core.mayLeave(isTurn: isTurn) {
                let sent = try LocalMessage.send(bytes.span, descriptors: descriptors, over: socket)
                if sent == bytes.count {
                    if loop.charge(Cost.systemCall + sent) { await loop.giveWay() }
                    return
                }
                if sent > 0 {
                    core.keepRest(bytes[sent...])
                    return try await loop.perform("send", of: "a local channel", within: time.left) {
                        [core = self.core, loop] _, pending in try core.open(on: loop).waitForRest(pending)
                    }
                }
            }
            try await loop.perform("send", of: "a local channel", within: time.left) {
                [core = self.core, loop, isTurn] _, pending in
                try core.open(on: loop).waitForRoom(isTurn: isTurn, pending)
            }
            isTurn = true
        }
    }

    /// Hands a connection over to the peer, which goes on with it. It is closed here without ending it when the message has left.
    ///
    /// Whoever wants the connection back in case the peer dies sends its descriptor instead, and keeps the connection open and unread:
    /// bytes that were read here do not go along, and a close ends the connection for both.
    ///
    /// - Parameter bytes: What the message says besides, one byte at least.
    /// - Throws: ``UVError`` with `.resourceBusy` when bytes would stay behind, because they were read and not taken or written and not
    ///   sent, and when the connection is being read; `.badFileDescriptor` when it is closed. Otherwise as
    ///   ``send(_:descriptors:timeout:)``. The connection can be used on then.
    ///
    /// Cancellation and timeout: as in ``send(_:descriptors:timeout:)``; the connection stays open.
    public func send(
        _ bytes: [UInt8], handingOver connection: some StreamConnection, timeout: Duration? = nil
    ) async throws {
        let copy = try await connection.stream.duplicateToHandOver()
        defer { try? copy.close() }
        try await send(bytes, descriptors: [copy], timeout: timeout)
        await connection.stream.closeHandedOver()
    }

    /// Shares a listener with the peer: both accept from now on, and the connections of one are not those of the other.
    ///
    /// - Parameter bytes: What the message says besides, one byte at least.
    /// - Throws: As ``send(_:descriptors:timeout:)``.
    public func send(_ bytes: [UInt8], sharing listener: TCPListener, timeout: Duration? = nil) async throws {
        try await send(bytes, ofListener: listener.listener, timeout)
    }

    /// Shares a listener with the peer. Otherwise as ``send(_:sharing:timeout:)-(_,TCPListener,_)``. The process that made the listener
    /// removes its file at the close, unless it was bound with `removesFile: false`.
    public func send(_ bytes: [UInt8], sharing listener: LocalListener, timeout: Duration? = nil) async throws {
        try await send(bytes, ofListener: listener.listener, timeout)
    }

    private func send<Listening: StreamHandle & ListeningStream, Connection>(
        _ bytes: [UInt8], ofListener listener: LoopListener<Listening, Connection>, _ timeout: Duration?
    ) async throws {
        let copy = try await listener.loop.withLoop { [core = listener.core, loop = listener.loop] _ in
            try core.open(on: loop).handle.duplicateToHandOver()
        }
        defer { try? copy.close() }
        try await send(bytes, descriptors: [copy], timeout: timeout)
    }

    // MARK: Receiving

    /// Takes the next message.
    ///
    /// Descriptors in it that nobody takes are closed with it.
    ///
    /// - Parameter limit: The most bytes, 1 to 1 GiB.
    /// - Parameter timeout: How long to wait; `nil` for ever.
    /// - Returns: `nil` when the peer has closed its end.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` when the process has no room for all descriptors of the message, and
    ///   `.messageTooLong` when the message is larger than the limit: on Linux it stays for a later call. `.connectionReset` when the
    ///   peer ended without having taken all, `.alreadyInProcess` while another task receives, `.timedOut`, `.badFileDescriptor` when
    ///   closed, `.canceled` when closed meanwhile or when the loop ends.
    ///
    /// Cancellation and timeout: no message is lost.
    public func receive(upTo limit: Int = 65_536, timeout: Duration? = nil) async throws -> LocalMessage? {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.receive(upTo: limit, timeout: timeout) }
        }
        guard loop.isCurrent else { throw loop.ended("receive") }
        try core.open(on: loop).beginReceiving()
        defer { if loop.isCurrent { core.open(on: loop).endReceiving() } }
        let time = TimeLeft(timeout)
        while true {
            try checkCancellation()
            guard loop.isCurrent else { throw loop.ended("receive") }
            let core = core.open(on: loop)
            do {
                let message = try LocalMessage.receive(from: core.descriptor("receive"), upTo: limit)
                if message == nil, let failure = core.takeFailure() {
                    throw UVError(failure.code, in: "receive", of: "a local channel")
                }
                if loop.charge(Cost.systemCall + (message?.bytes.count ?? 0)) { await loop.giveWay() }
                return message
            } catch UVError.Code.resourceTemporarilyUnavailable {
                try await loop.perform("receive", of: "a local channel", within: time.left) {
                    [core = self.core, loop] _, pending in try core.open(on: loop).waitForMessage(pending)
                }
            }
        }
    }

    // MARK: Closing

    /// Closes the channel: the peer receives the end. What waits here ends with `.canceled`. Closing twice is harmless.
    public func close() async {
        if loop.isCurrent { return core.open(on: loop).close() }
        try? await loop.hop { self.core.open(on: self.loop).close() }
    }
}

extension LocalChannel: CustomStringConvertible {
    /// For people: `local channel with process 4711 of user 1000`.
    public var description: String { "local channel with \(peerCredentials)" }
}

extension LoopStream {
    /// A duplicate of the socket, for somebody else; the caller closes it.
    func duplicateToHandOver() async throws -> FileDescriptor {
        try await loop.withLoop { _ in
            let core = core.open(on: loop)
            if core.keepsBytes {
                throw UVError(.resourceBusy, in: "handing over", of: "a connection that is being read")
            }
            return try core.handle.duplicateToHandOver()
        }
    }

    /// Closes the handle; the connection goes on elsewhere.
    func closeHandedOver() async { await end { core in core.close { $0.close() } } }
}
