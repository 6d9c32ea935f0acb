public import UV

extension UDPSocket {
    /// Takes the next datagram, at once if one is there. Several tasks may wait; who waits longest gets the next one.
    ///
    /// - Parameter limit: The most bytes; of a longer datagram the rest is lost, and it is marked as truncated.
    /// - Parameter timeout: How long to wait, `nil` for ever. Zero and less wait for nothing but what is there.
    /// - Returns: The datagram; an empty one has no bytes, and a sender like others.
    /// - Throws: ``UVError`` with `.connectionRefused` and relatives for what the network says of datagrams that were sent, with
    ///   their destination, once each (see ``UDPOptions/reportsErrors``): receiving can go on. `.timedOut` when none has come in time,
    ///   `.badFileDescriptor` when closed, `.canceled` when it is closed meanwhile or its loop ends, `.alreadyInProcess` while
    ///   there is a sequence of ``datagrams(queue:upTo:overflow:)``, `.invalidArgument` for a limit below 1.
    ///
    /// Cancellation: nothing has been received.
    public func receive(upTo limit: Int = 65_536, timeout: Duration? = nil) async throws -> Datagram {
        guard loop.hostsCurrentTask else {
            return try await loop.hop { try await self.receive(upTo: limit, timeout: timeout) }
        }
        try checkCancellation()
        try checkLimit(limit)
        let time = TimeLeft(timeout)
        while true {
            let datagram = try core.open(on: loop).takeNow("receive", upTo: limit) { Datagram(copying: $0, $1) }
            if let datagram {
                if loop.charge(Cost.systemCall + datagram.bytes.count) { await loop.giveWay() }
                return datagram
            }
            try await waitForSome(time)
        }
    }

    /// Lends the next datagram to the body, without a copy. It does not suspend. Otherwise as ``receive(upTo:timeout:)``.
    ///
    /// - Returns: The body's value.
    /// - Throws: Also what the body throws; the datagram is taken then.
    public func withDatagram<Value>(
        upTo limit: Int = 65_536, timeout: Duration? = nil, _ body: (Span<UInt8>, Datagram.Info) throws -> Value
    ) async throws -> Value {
        guard loop.hostsCurrentTask else {
            let datagram = try await receive(upTo: limit, timeout: timeout)
            return try body(datagram.bytes.span, datagram.info)
        }
        try checkCancellation()
        try checkLimit(limit)
        let time = TimeLeft(timeout)
        while true {
            let value = try core.open(on: loop).takeNow("receive", upTo: limit) { bytes, info in
                (Result { try body(bytes, info) }, bytes.count)
            }
            if let (value, count) = value {
                if loop.charge(Cost.systemCall + count) { await loop.giveWay() }
                return try value.get()
            }
            try await waitForSome(time)
        }
    }

    /// Appends the datagrams that are there to a batch, one at least, many in one system call. Otherwise as
    /// ``receive(upTo:timeout:)``.
    ///
    /// - Parameter most: How many at most; a system call takes 32.
    /// - Returns: How many came.
    ///
    /// Cancellation, and any error: the batch is as it was.
    @discardableResult
    public func receiveBatch(
        into batch: inout DatagramBatch, upTo most: Int = 32, timeout: Duration? = nil
    ) async throws -> Int {
        guard loop.hostsCurrentTask else {
            let own = try await loop.hop {
                var own = DatagramBatch()
                try await self.receiveBatch(into: &own, upTo: most, timeout: timeout)
                return own
            }
            batch.append(contentsOf: own)
            return own.count
        }
        try checkCancellation()
        try checkLimit(most)
        let time = TimeLeft(timeout)
        while true {
            let before = batch.byteCount
            let count = try core.open(on: loop).takeNow(into: &batch, upTo: most)
            if count > 0 {
                if loop.charge(Cost.systemCall + count * Cost.memory + batch.byteCount - before) {
                    await loop.giveWay()
                }
                return count
            }
            try await waitForSome(time)
        }
    }

    /// Receives ahead of demand, into a queue with an end, until the sequence is dropped or the socket closed. A queue that is full
    /// drops datagrams and counts them: ``UDPDatagrams/dropCount``.
    ///
    /// - Parameter most: How many datagrams may wait for the reader, one at least.
    /// - Parameter limit: The most bytes of a datagram; of a longer one the rest is lost, and it is marked as truncated.
    /// - Parameter overflow: Which one is dropped.
    /// - Throws: ``UVError`` with `.invalidArgument` for a queue or a limit below 1, `.alreadyInProcess` while there is another
    ///   sequence; receives that wait end with that, too. `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; it does not wait.
    public func datagrams(
        queue most: Int = 256, upTo limit: Int = 65_536, overflow: DatagramOverflow = .dropNewest
    ) async throws -> UDPDatagrams {
        guard most > 0, limit > 0 else {
            throw UVError(.invalidArgument, in: "datagrams", of: "a queue of \(most), up to \(limit) bytes each")
        }
        return try await loop.withLoop { _ in
            let queue = DatagramQueue(most, upTo: limit, overflow)
            let core = self.core.open(on: self.loop)
            try core.open(queue)
            if self.reportsErrors == nil { try? core.handle.setReportsErrors(enabled: true) }
            return UDPDatagrams(queue, of: self)
        }
    }

    /// How many datagrams the system has dropped because nobody took those before in time; `nil` where the system does not say.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    public var systemDropCount: Int? {
        get async throws { try await withHandle { $0.systemDropCount } }
    }

    // MARK: Inside

    private func checkLimit(_ limit: Int) throws(UVError) {
        if limit < 1 { throw UVError(.invalidArgument, in: "receive", of: "up to \(limit)") }
    }

    /// Waits until there is something to take, in a task that is hosted here.
    private func waitForSome(_ time: TimeLeft) async throws {
        let core = core.open(on: loop)
        let wait = ReceiveWait(core)
        try loop.start(wait) { _ in try core.add(wait) }
        let address = localAddress
        try await loop.value(of: wait, within: time.left) { UVError(.timedOut, in: "receive", of: "\(address)") }
        // The loop may have ended meanwhile, and its memory is not to be touched then.
        if !loop.isCurrent { throw loop.ended("receive") }
    }
}
