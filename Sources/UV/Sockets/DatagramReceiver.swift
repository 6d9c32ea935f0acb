internal import CPlatform
internal import UVPlatform

/// Room for the datagrams of one system call. The sockets of a loop share one, because a datagram stays in it only while a
/// closure looks at it.
@safe
final class DatagramReceiver {
    /// The most datagrams of one system call.
    static let most = Int(cplatform_most_datagrams)

    private let raw: OpaquePointer

    init() throws(UVError) {
        guard let raw = unsafe cplatform_receiver_create() else {
            throw UVError(.noMemory, in: "receive", of: "room for \(Self.most) datagrams")
        }
        unsafe self.raw = raw
    }

    deinit { unsafe cplatform_receiver_destroy(raw) }

    /// Receives what is there: how many datagrams, or -1 with `errno`.
    @inline(__always)
    func receive(from socket: CInt, upTo most: Int) -> Int {
        Int(unsafe cplatform_receive(raw, socket, CInt(min(most, Self.most))))
    }

    /// The size of the first datagrams of those that have just been received.
    @inline(__always)
    func byteCount(_ count: Int) -> Int {
        var sum = 0
        for index in 0..<count {
            sum += unsafe Int(cplatform_received(raw, CInt(index)).unsafelyUnwrapped.pointee.count)
        }
        return sum
    }

    /// Lends one of the datagrams that have just been received, or its first bytes.
    @inline(__always)
    func lend<Value>(
        _ index: Int, upTo limit: Int, _ body: (Span<UInt8>, Datagram.Info) throws -> Value
    ) rethrows -> Value {
        let datagram = unsafe cplatform_received(raw, CInt(index)).unsafelyUnwrapped
        let count = unsafe Int(datagram.pointee.count)
        let bytes = unsafe Span<UInt8>(_unsafeStart: datagram.pointee.bytes, count: min(count, limit))
        return try body(
            bytes,
            Datagram.Info(
                from: unsafe SocketAddress(datagram.pointee.from) ?? .anyIPv4(port: 0),
                isTruncated: unsafe count > limit || datagram.pointee.is_truncated != 0))
    }
}

extension Loop {
    /// Takes the loop's room for datagrams. A closure that looks at one may receive others, which get room of their own.
    @inline(__always)
    func takeDatagramReceiver() throws(UVError) -> DatagramReceiver {
        if let receiver = unsafe datagramReceiver.take() { return receiver }
        return try DatagramReceiver()
    }

    @inline(__always)
    func leaveDatagramReceiver(_ receiver: DatagramReceiver) { unsafe datagramReceiver = receiver }
}
