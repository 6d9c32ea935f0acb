internal import CLibuv
internal import CPlatform

/// Receiving. libuv tells that something has come, and gets no memory for it: documented, and its callback tells "no buffers" then.
/// The handle makes the system call itself, many datagrams in one. So libuv's defects of that call are out of the way (an endless
/// loop with a small buffer, a batch whose end is not told), reports of the network are taken, which libuv leaves in the socket
/// and is woken for again and again, and the system is not asked a second time when it has just had no more.
extension UDPHandle {
    /// Receives from now on: `onDatagram` for each datagram.
    ///
    /// A turn of the loop takes 32 datagrams at most, then others get theirs. Started again after ``stopReceiving()`` it replaces
    /// the closures.
    ///
    /// - Parameter limit: The most bytes of a datagram; of a longer one the rest is lost, and it is marked as truncated.
    /// - Parameter onDatagram: Called with the bytes, lent for the call, and where they came from.
    /// - Parameter onError: Called with what the network says of datagrams that were sent (`.connectionRefused` when nobody listens
    ///   there), or what the system says. Receiving goes on.
    /// - Throws: ``UVError`` with `.alreadyInProcess` while receiving, `.invalidArgument` for a limit below 1,
    ///   `.badFileDescriptor` before there is a socket.
    ///
    /// Calls `uv_udp_recv_start`.
    public final func startReceiving(
        upTo limit: Int = 65_536, onDatagram: @escaping (UDPHandle, Span<UInt8>, Datagram.Info) -> Void,
        onError: @escaping (UDPHandle, UVError) -> Void
    ) throws(UVError) {
        try checkLimit(limit, "startReceiving")
        try start("startReceiving", .single(onDatagram, limit: limit), onError)
    }

    /// Receives from now on, all datagrams of a system call together, 32 at most. Otherwise as
    /// ``startReceiving(upTo:onDatagram:onError:)``.
    ///
    /// - Parameter onBatch: Called with the datagrams, lent for the call. They can be sent back as they are:
    ///   see ``trySend(_:from:)``.
    public final func startReceivingBatches(
        onBatch: @escaping (UDPHandle, DatagramBatch) -> Void, onError: @escaping (UDPHandle, UVError) -> Void
    ) throws(UVError) {
        try start("startReceivingBatches", .batches(onBatch), onError)
    }

    /// Lets the layer above take the datagrams by itself, when there are some.
    package final func onReadable(_ call: @escaping (UDPHandle) -> Void) { unsafe consumer = .layer(call) }

    /// Stops receiving: further datagrams wait in the system, which drops those that it has no room for.
    ///
    /// Harmless when the handle does not receive. Calls `uv_udp_recv_stop`.
    public final func stopReceiving() {
        checkThread()
        // The layer above stops by itself.
        if case .layer = unsafe consumer { return }
        guard isOpen else { return }
        stopWatching()
        interruptDelivery()
        unsafe consumer = .none
        unsafe onError = nil
    }

    /// Takes a datagram that is there.
    ///
    /// - Parameter limit: The most bytes; of a longer datagram the rest is lost, and it is marked as truncated.
    /// - Returns: `nil` when there is none.
    /// - Throws: ``UVError`` with `.connectionRefused` and relatives for what the network says of datagrams that were sent, once
    ///   each; receiving can go on. `.alreadyInProcess` while ``startReceiving(upTo:onDatagram:onError:)`` is under way,
    ///   `.invalidArgument` for a limit below 1, `.badFileDescriptor` before there is a socket.
    public final func tryReceive(upTo limit: Int = 65_536) throws(UVError) -> Datagram? {
        try checkFree("tryReceive")
        try checkLimit(limit, "tryReceive")
        return try takeNext(upTo: limit) { Datagram(copying: $0, $1) }
    }

    /// Takes all datagrams that are there, behind those of the batch.
    ///
    /// - Parameter most: How many at most; a system call takes 32.
    /// - Returns: How many came.
    /// - Throws: As ``tryReceive(upTo:)``, if no datagram comes before the error.
    public final func tryReceive(into batch: inout DatagramBatch, upTo most: Int = 32) throws(UVError) -> Int {
        try checkFree("tryReceive")
        try checkLimit(most, "tryReceive")
        return try takeAll(into: &batch, upTo: most)
    }

    // MARK: For the layer above

    /// Lends the next datagram that is there, to the closure.
    ///
    /// - Returns: `nil` when there is none.
    @inline(__always)
    package final func takeNext<Value>(
        upTo limit: Int, _ body: (Span<UInt8>, Datagram.Info) -> Value
    ) throws(UVError) -> Value? {
        if unsafe aheadTaken < ahead.count { return takeAhead(upTo: limit, body) }
        try throwKept()
        let receiver = try loop.takeDatagramReceiver()
        defer { loop.leaveDatagramReceiver(receiver) }
        guard let count = try receive(receiver, upTo: DatagramReceiver.most) else { return nil }
        if count > 1 { keep(1..<count, of: receiver) }
        return receiver.lend(0, upTo: limit, body)
    }

    /// Appends the datagrams that are there.
    package final func takeAll(into batch: inout DatagramBatch, upTo most: Int) throws(UVError) -> Int {
        var taken = 0
        while taken < most, unsafe aheadTaken < ahead.count {
            takeAhead(upTo: .max) { batch.append(received: $0, $1) }
            taken += 1
        }
        if taken == most { return taken }
        if taken == 0 { try throwKept() }
        let receiver = try loop.takeDatagramReceiver()
        defer { loop.leaveDatagramReceiver(receiver) }
        while taken < most {
            let count: Int?
            do throws(UVError) { count = try receive(receiver, upTo: most - taken) } catch {
                guard taken > 0 else { throw error }
                unsafe keptError = error
                return taken
            }
            guard let count else { break }
            for index in 0..<count { receiver.lend(index, upTo: .max) { batch.append(received: $0, $1) } }
            taken += count
            if count < DatagramReceiver.most { break }
        }
        return taken
    }

    /// Whether the system had nothing more at the last look, in the callback of libuv that is running.
    package final var isExhausted: Bool { unsafe isDrained }

    /// Whether datagrams wait in the handle.
    package final var hasAhead: Bool { unsafe aheadTaken < ahead.count }

    /// Lets libuv tell when something comes.
    package final func watch(_ operation: StaticString) throws(UVError) {
        try checkOpen(operation)
        if unsafe isWatching { return }
        // libuv would make a socket of IPv4 by itself.
        guard family != nil else {
            throw UVError(.badFileDescriptor, in: operation.description, of: "a socket without address")
        }
        try check(unsafe uv_udp_recv_start(raw, provideNothing, becameReadable), operation)
        unsafe isWatching = true
    }

    package final func stopWatching() {
        guard unsafe isWatching, isOpen else { return }
        unsafe isWatching = false
        unsafe uv_udp_recv_stop(raw)
    }

    // MARK: Inside

    private final func checkLimit(_ limit: Int, _ operation: StaticString) throws(UVError) {
        if limit < 1 { throw UVError(.invalidArgument, in: operation.description, of: "up to \(limit)") }
    }

    private final func checkFree(_ operation: StaticString) throws(UVError) {
        try checkOpen(operation)
        guard case .none = unsafe consumer else {
            throw UVError(.alreadyInProcess, in: operation.description, of: "a UDP socket that is received from")
        }
    }

    private final func start(
        _ operation: StaticString, _ consumer: Consumer, _ onError: @escaping (UDPHandle, UVError) -> Void
    ) throws(UVError) {
        try checkFree(operation)
        try watch(operation)
        unsafe self.consumer = consumer
        unsafe self.onError = onError
        // Nothing of the system will tell of what it does not have any more.
        if hasAhead, unsafe !isInCallback { deliverAheadSoon() }
    }

    /// One system call. Where the network has reported something there is no datagram, and this throws it.
    ///
    /// - Returns: `nil` when there is nothing.
    @inline(__always)
    final func receive(_ receiver: DatagramReceiver, upTo most: Int) throws(UVError) -> Int? {
        let asked = min(most, DatagramReceiver.most)
        let count = unsafe receiver.receive(from: socket, upTo: asked)
        if count > 0 {
            loop.tally.bytesReceived.add(receiver.byteCount(count))
            unsafe isDrained = isInCallback && count < asked
            return count
        }
        return try nothingReceived()
    }

    @inline(never)
    private final func nothingReceived() throws(UVError) -> Int? {
        let code = UVError.Code.lastSystemError
        if unsafe socket < 0 { throw UVError(.badFileDescriptor, in: "receive", of: "a socket without address") }
        let isPassing = code == .resourceTemporarilyUnavailable
        // The report has more to say than the error that announces it. A send may have taken that one, and left the report.
        if unsafe reportsErrors, unsafe !isPassing || isInCallback || unreadReports > 0 {
            if let error = networkError() {
                unsafe unreadReports = max(0, unreadReports - 1)
                throw error
            }
            unsafe unreadReports = 0
        }
        if !isPassing { throw UVError(code, in: "receive", from: peer?.description) }
        unsafe isDrained = isInCallback
        return nil
    }

    /// Takes what the network says of a datagram that was sent, if it says something.
    final func networkError() -> UVError? {
        var address = cplatform_address()
        let number = unsafe cplatform_take_network_error(socket, &address)
        if number == 0 { return nil }
        let subject = SocketAddress(address) ?? peer
        return UVError(.init(rawValue: -number), in: "receive", from: subject?.description)
    }

    /// Throws an error that came behind datagrams.
    @inline(__always)
    final func throwKept() throws(UVError) { if unsafe keptError != nil { throw takeKept() } }

    @inline(never)
    private final func takeKept() -> UVError {
        unsafe keptError.take() ?? UVError(.unknown, in: "receive", from: nil)
    }

    final func keep(_ range: Range<Int>, of receiver: DatagramReceiver) {
        if unsafe aheadTaken == ahead.count { forgetAhead() }
        for index in range { receiver.lend(index, upTo: .max) { unsafe ahead.append(received: $0, $1) } }
    }

    private final func forgetAhead() {
        // A few large datagrams are megabytes.
        if unsafe ahead.byteCount > 65_536 { unsafe ahead = DatagramBatch() } else { unsafe ahead.removeAll() }
        unsafe aheadTaken = 0
    }

    @inline(never)
    @discardableResult
    final func takeAhead<Value>(upTo limit: Int, _ body: (Span<UInt8>, Datagram.Info) -> Value) -> Value {
        // The closure may receive further datagrams: the batch must not change under its hands.
        let batch = unsafe ahead
        let index = unsafe aheadTaken
        unsafe aheadTaken += 1
        let value = batch.withBytes(at: index) { bytes in
            body(
                bytes.extracting(first: min(bytes.count, limit)),
                Datagram.Info(
                    from: batch.entries[index].address ?? .anyIPv4(port: 0),
                    isTruncated: batch.entries[index].isTruncated || bytes.count > limit))
        }
        if unsafe aheadTaken == ahead.count { forgetAhead() }
        return value
    }
}
