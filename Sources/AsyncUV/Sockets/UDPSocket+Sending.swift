public import UV

extension UDPSocket {
    /// Sends a datagram, and returns when the system has it. It may get lost on its way.
    ///
    /// - Parameter address: Where it goes; `nil` for the peer of a connected socket.
    /// - Parameter timeout: How long to wait if the system has no room for it; `nil` for ever.
    /// - Throws: ``UVError`` with `.messageTooLong` for more than 65,507 bytes (65,527 with IPv6), `.permissionDenied` for a broadcast
    ///   address without ``UDPOptions/broadcast``, `.destinationAddressRequired` without a peer and an address, `.socketIsConnected`
    ///   with both, `.networkUnreachable` and relatives, `.timedOut`: the socket can be used on. `.badFileDescriptor` when closed,
    ///   `.canceled` when it is closed meanwhile or its loop ends.
    ///
    /// Cancellation and timeout: the datagram is not sent, unless it is the next one to leave.
    public func send(
        _ bytes: [UInt8], to address: SocketAddress? = nil, timeout: Duration? = nil
    ) async throws {
        guard loop.isCurrent else {
            return try await loop.hop { try await self.send(bytes, to: address, timeout: timeout) }
        }
        try checkCancellation()
        if try core.lend(on: loop, { core throws(UVError) in try core.handle.trySend(bytes.span, to: address) }) {
            if loop.charge(Cost.systemCall + bytes.count) { await loop.giveWay() }
        } else {
            try await sendLater(bytes, to: address, timeout)
        }
    }

    /// Sends lent bytes; they are copied only if the system has no room. Otherwise as `send(_:to:timeout:)`.
    public func send(
        _ bytes: Span<UInt8>, to address: SocketAddress? = nil, timeout: Duration? = nil
    ) async throws {
        guard loop.isCurrent else {
            return try await send([UInt8](copying: bytes), to: address, timeout: timeout)
        }
        try checkCancellation()
        let count = bytes.count
        if try core.open(on: loop).handle.trySend(bytes, to: address) {
            if loop.charge(Cost.systemCall + count) { await loop.giveWay() }
        } else {
            try await sendLater([UInt8](copying: bytes), to: address, timeout)
        }
    }

    /// Sends a text in UTF-8. Otherwise as `send(_:to:timeout:)`.
    public func send(
        _ text: String, to address: SocketAddress? = nil, timeout: Duration? = nil
    ) async throws { try await send(Array(text.utf8), to: address, timeout: timeout) }

    /// Sends the datagrams of a batch in order, many in one system call, and returns when the system has them.
    ///
    /// - Parameter timeout: How long to wait for room, for all of them; `nil` for ever.
    /// - Throws: As `send(_:to:timeout:)`, with the first datagram that is refused: those before it have been sent, those behind
    ///   it have not.
    ///
    /// Cancellation and timeout: a part may have been sent.
    public func sendBatch(_ batch: DatagramBatch, timeout: Duration? = nil) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.sendBatch(batch, timeout: timeout) }
        }
        let time = TimeLeft(timeout)
        var sent = 0
        while sent < batch.count {
            try checkCancellation()
            let count = try core.open(on: loop).handle.trySend(batch, from: sent)
            sent += count
            if count > 0 {
                let cost = Cost.systemCall + count * Cost.memory + batch.byteCount * count / batch.count
                if loop.charge(cost) { await loop.giveWay() }
            } else {
                // This one tells when there is room again.
                try await sendLater(batch.bytes(at: sent), to: batch.address(at: sent), time.left)
                sent += 1
            }
            if !loop.isCurrent { throw loop.ended("send") }
        }
    }

    /// How many datagrams wait to be taken by the system.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var sendQueueCount: Int {
        get async throws { try await withHandle { $0.sendQueueCount } }
    }

    /// How many bytes wait to be taken by the system.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var sendQueueSize: Int {
        get async throws { try await withHandle { $0.sendQueueSize } }
    }

    /// Waits for room. Apart, so that what is sent at once does not carry its frame.
    @inline(never)
    private func sendLater(_ bytes: [UInt8], to address: SocketAddress?, _ timeout: Duration?) async throws {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.sendLater(bytes, to: address, timeout) }
        }
        let wait = Wait<Void>("send")
        let handle = core.open(on: loop).handle
        try loop.start(wait) { _ in
            try handle.queue(bytes, to: address, tag: wait) { _, error in
                wait.finish(error.map { .failure($0) } ?? .success(()))
            }
        }
        wait.onCancel = { [unowned wait] in handle.takeBack(wait) }
        let subject = "\(address ?? remoteAddress ?? localAddress)"
        try await loop.value(of: wait, within: timeout) { UVError(.timedOut, in: "send", to: subject) }
    }
}
