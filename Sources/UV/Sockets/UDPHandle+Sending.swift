internal import CLibuv
internal import CPlatform

extension UDPHandle {
    /// Sends a datagram, if the system has room for it and none waits.
    ///
    /// A socket without an address of its own gets one.
    ///
    /// - Parameter address: Where it goes; `nil` for the peer of a connected socket.
    /// - Returns: Whether the system has it.
    /// - Throws: ``UVError`` with `.messageTooLong` for more than 65,507 bytes (65,527 with IPv6), `.permissionDenied` for a broadcast
    ///   address without ``setBroadcast(enabled:)``, `.destinationAddressRequired` without a peer and an address,
    ///   `.socketIsConnected` with both, `.networkUnreachable` and relatives. The socket can be used on. What the network says of
    ///   earlier datagrams is for a receiver, unless ``setReportsErrors(enabled:)`` is off.
    ///
    /// Calls `uv_udp_try_send`.
    public final func trySend(_ bytes: Span<UInt8>, to address: SocketAddress? = nil) throws(UVError) -> Bool {
        try checkOpen("send")
        if let address, family == nil { try makeSocket(address.family, "send") }
        let status = attempt(bytes, address)
        if status < 0, try !refused(status, bytes, address) { return false }
        loop.tally.bytesSent.add(bytes.count)
        return true
    }

    /// Sends a datagram. One that the system has no room for waits, behind those that wait already.
    ///
    /// - Parameter address: Where it goes; `nil` for the peer of a connected socket.
    /// - Returns: `.sent` or `.queued`. What becomes of a queued one nobody is told.
    /// - Throws: As ``trySend(_:to:)``.
    ///
    /// Calls `uv_udp_try_send`, `uv_udp_send`.
    @discardableResult
    public final func send(_ bytes: [UInt8], to address: SocketAddress? = nil) throws(UVError) -> WriteOutcome {
        try send(bytes, to: address, nil)
    }

    /// Sends a datagram. Otherwise as `send(_:to:)`.
    ///
    /// - Parameter onDone: Called once after `.queued`: with `nil` when the system has the datagram, with `.canceled` when the
    ///   handle was closed first, or with why it was refused.
    public final func send(
        _ bytes: [UInt8], to address: SocketAddress? = nil, onDone: @escaping (UDPHandle, UVError?) -> Void
    ) throws(UVError) -> WriteOutcome { try send(bytes, to: address, onDone) }

    /// Sends a datagram; one that waits is copied. Otherwise as `send(_:to:)`.
    @discardableResult
    public final func send(_ bytes: Span<UInt8>, to address: SocketAddress? = nil) throws(UVError) -> WriteOutcome {
        if try trySend(bytes, to: address) { return .sent }
        try queue([UInt8](copying: bytes), to: address, tag: nil, nil)
        return .queued
    }

    /// Sends a text in UTF-8. Otherwise as `send(_:to:)`.
    @discardableResult
    public final func send(_ text: String, to address: SocketAddress? = nil) throws(UVError) -> WriteOutcome {
        try send(Array(text.utf8), to: address, nil)
    }

    private final func send(
        _ bytes: [UInt8], to address: SocketAddress?, _ onDone: ((UDPHandle, UVError?) -> Void)?
    ) throws(UVError) -> WriteOutcome {
        if try trySend(bytes.span, to: address) { return .sent }
        try queue(bytes, to: address, tag: nil, onDone)
        return .queued
    }

    /// Sends datagrams of a batch in order, many in one system call, as far as the system has room for them and none waits.
    ///
    /// Neighbours of one size to one address go through Linux as one datagram, and are cut apart where they leave.
    ///
    /// - Parameter start: The number of the first one, counted from 0.
    /// - Returns: How many the system has.
    /// - Throws: As ``trySend(_:to:)``, when the first one is refused; go on behind it.
    ///   `.invalidArgument` for a number that is none.
    public final func trySend(_ batch: DatagramBatch, from start: Int = 0) throws(UVError) -> Int {
        try checkOpen("send")
        guard (0...batch.count).contains(start) else {
            throw UVError(.invalidArgument, in: "send", of: "datagram \(start) of \(batch.count)")
        }
        if batch.count > start, family == nil, let address = batch.address(at: start) {
            try makeSocket(address.family, "send")
        }
        if hasBacklog { return 0 }
        var index = start
        while index < batch.count {
            let asked = min(batch.count - index, DatagramReceiver.most)
            var sent = attempt(batch, index..<index + asked)
            if sent < 0, hasTakenReport(sent) { sent = attempt(batch, index..<index + asked) }
            if sent < 0 {
                if index > start || isFull(sent) { break }
                throw sendError(sent, batch.address(at: index))
            }
            index += Int(sent)
            if sent == 0 { break }
        }
        for sent in start..<index { loop.tally.bytesSent.add(batch.range(sent).count) }
        return index - start
    }

    /// Queues a datagram that ``trySend(_:to:)`` has not sent.
    ///
    /// - Parameter tag: Names the datagram for ``takeBack(_:)``; kept until it has been sent or refused.
    package final func queue(
        _ bytes: [UInt8], to address: SocketAddress?, tag: AnyObject?, _ onDone: ((UDPHandle, UVError?) -> Void)?
    ) throws(UVError) {
        try checkOpen("send")
        let backlog = unsafe backlog ?? DatagramBacklog()
        unsafe self.backlog = backlog
        try backlog.add(bytes, to: address, tag: tag, onDone, of: self)
    }

    /// Takes back a datagram that waits: its `onDone` is not called.
    ///
    /// - Returns: False when the system has it, or will have it next.
    @discardableResult
    package final func takeBack(_ tag: AnyObject) -> Bool {
        checkThread()
        return unsafe backlog?.takeBack(tag) ?? false
    }

    /// How many bytes wait to be taken by the system. Calls `uv_udp_get_send_queue_size`.
    public final var sendQueueSize: Int {
        checkThread()
        return unsafe (isOpen ? Int(uv_udp_get_send_queue_size(raw)) : 0) + (backlog?.waitingBytes ?? 0)
    }

    /// How many datagrams wait to be taken by the system. Calls `uv_udp_get_send_queue_count`.
    public final var sendQueueCount: Int {
        checkThread()
        return unsafe (isOpen ? Int(uv_udp_get_send_queue_count(raw)) : 0) + (backlog?.waitingCount ?? 0)
    }

    // MARK: Inside

    final var hasBacklog: Bool { unsafe backlog?.isBusy ?? false }

    /// What the system says to a datagram.
    @inline(__always)
    private final func attempt(_ bytes: Span<UInt8>, _ address: SocketAddress?) -> CInt {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            var buffer = unsafe uv_buf_t(bytes)
            guard let address else { return unsafe uv_udp_try_send(raw, &buffer, 1, nil) }
            return unsafe address.withSockaddr { address, _ in unsafe uv_udp_try_send(raw, &buffer, 1, address) }
        }
    }

    @inline(never)
    private final func refused(
        _ status: CInt, _ bytes: Span<UInt8>, _ address: SocketAddress?
    ) throws(UVError) -> Bool {
        var status = status
        if hasTakenReport(status) { status = attempt(bytes, address) }
        if status >= 0 { return true }
        if isFull(status) { return false }
        throw sendError(status, address)
    }

    /// Whether an error may be about an earlier datagram: the system tells it to whoever calls first, and sends nothing. The
    /// report of the network stays for the receiver.
    final func hasTakenReport(_ status: CInt) -> Bool {
        guard unsafe reportsErrors, !isFull(status) else { return false }
        switch UVError.Code(rawValue: status) {
        case .socketIsConnected, .destinationAddressRequired, .badFileDescriptor, .invalidArgument, .permissionDenied:
            return false
        default:
            unsafe unreadReports += 1
            // They take room of the datagrams that are received.
            if unsafe unreadReports > Self.mostReports {
                for _ in 0..<2 { _ = networkError() }
                // Taking one announces the next.
                _ = unsafe SocketOption.takeError(of: socket)
                unsafe unreadReports -= 1
            }
            return true
        }
    }

    final func isFull(_ status: CInt) -> Bool { status == UV_EAGAIN.rawValue || status == UV_ENOBUFS.rawValue }

    final func sendError(_ status: CInt, _ address: SocketAddress?) -> UVError {
        UVError(.init(rawValue: status), in: "send", to: (address ?? peer)?.description)
    }

    /// Makes one system call for several datagrams.
    ///
    /// - Returns: How many the system has; a negative code when it has refused the first.
    private final func attempt(_ batch: DatagramBatch, _ range: Range<Int>) -> CInt {
        unsafe batch.storage.withUnsafeBytes { bytes in
            unsafe attempt(range.count) { place in
                let index = range.lowerBound + place
                let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[batch.range(index)])
                return unsafe (part, batch.entries[index].address)
            }
        }
    }

    /// - Parameter datagram: The bytes and the address of each, whose memory stays in place.
    final func attempt(
        _ count: Int, _ datagram: (Int) -> (UnsafeRawBufferPointer, SocketAddress?)
    ) -> CInt {
        unsafe withUnsafeTemporaryAllocation(of: cplatform_outgoing.self, capacity: count) { outgoing in
            for index in 0..<count {
                let (bytes, address) = unsafe datagram(index)
                let entry = unsafe outgoing.baseAddress.unsafelyUnwrapped + index
                unsafe entry.initialize(to: cplatform_outgoing())
                unsafe entry.pointee.bytes = bytes.baseAddress
                unsafe entry.pointee.count = bytes.count
                guard let address else { continue }
                unsafe entry.pointee.to_size = address.withSockaddr { address, size in
                    unsafe withUnsafeMutableBytes(of: &entry.pointee.to) {
                        unsafe $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(size)))
                    }
                    return size
                }
            }
            let sent = unsafe cplatform_send_datagrams(socket, outgoing.baseAddress, CInt(count), &joinsDatagrams)
            return sent < 0 ? UVError.Code.lastSystemError.rawValue : sent
        }
    }
}
