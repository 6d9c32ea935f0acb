internal import CLibuv
internal import CPlatform
public import SystemPackage

/// Bytes and descriptors that travel together over a local socket (`SCM_RIGHTS`): up to 253 descriptors with each message.
///
/// ``send(_:descriptors:over:)`` and ``receive(from:upTo:)`` do not wait: they are for a ``PollHandle``, or a thread of one's own.
/// libuv's own way, ``PipeHandle`` with `ipc: true`, takes one socket with each write, and does not tell when the receiving process
/// had no room for a descriptor.
public struct LocalMessage: Sendable {
    /// The most descriptors of one message.
    public static let mostDescriptors = Int(CPLATFORM_MOST_DESCRIPTORS)

    /// The bytes of the message.
    public let bytes: [UInt8]
    /// In the order in which they were sent. What nobody takes is closed with the message.
    public let descriptors: [PassedDescriptor]

    /// Two connected sockets, not blocking and closed on exec, which keep the boundaries of messages where the system can
    /// (`SOCK_SEQPACKET`). The caller closes them.
    ///
    /// - Throws: ``UVError`` with `.tooManyOpenFiles`.
    ///
    /// Calls the system's `socketpair`.
    public static func pair() throws(UVError) -> (FileDescriptor, FileDescriptor) {
        #if canImport(Darwin)
        let type = streamSocketType
        #else
        let type = messageSocketType
        #endif
        var sockets: [CInt] = [-1, -1]
        try checkSystem(unsafe cplatform_socket_pair(type, &sockets), "pair")
        return (FileDescriptor(rawValue: sockets[0]), FileDescriptor(rawValue: sockets[1]))
    }

    /// Checks that a descriptor is a local socket that carries messages or a stream.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.protocolWrongTypeForSocket` for a socket of another kind.
    package static func checkSocket(_ socket: FileDescriptor) throws(UVError) {
        let subject = "descriptor \(socket.rawValue)"
        guard let type = SocketOption.type(of: socket.rawValue) else {
            throw UVError(.lastSystemError, in: "open", of: subject)
        }
        guard type == streamSocketType || type == messageSocketType, SocketOption.family(of: socket.rawValue) == AF_UNIX
        else { throw UVError(.protocolWrongTypeForSocket, in: "open", of: subject) }
    }

    /// Sends bytes, and descriptors with the first of them. The receiver gets descriptors of its own for the same files; those of
    /// the caller stay open, and the caller's.
    ///
    /// - Returns: How many bytes the system took: all, fewer over a socket for streams, and none when it has no room; then no
    ///   descriptor was sent either. Descriptors have left with the first byte.
    /// - Throws: ``UVError`` with `.invalidArgument` for no bytes or more descriptors than ``mostDescriptors``,
    ///   `.badFileDescriptor`, `.messageTooLong`, `.brokenPipe` or `.connectionReset` when the peer is gone, and a code without
    ///   a name (`ETOOMANYREFS`) when more descriptors are on their way than the process may have open. Nothing was sent.
    ///
    /// Calls the system's `sendmsg`.
    public static func send(
        _ bytes: Span<UInt8>, descriptors: [FileDescriptor] = [], over socket: FileDescriptor
    ) throws(UVError) -> Int {
        if bytes.isEmpty { throw UVError(.invalidArgument, in: "send", of: "a message without a byte") }
        guard descriptors.count <= mostDescriptors else {
            throw UVError(.invalidArgument, in: "send", of: "a message with \(descriptors.count) descriptors")
        }
        let numbers = descriptors.map(\.rawValue)
        let sent = unsafe bytes.withUnsafeBytes { bytes in
            unsafe cplatform_send_message(socket.rawValue, bytes.baseAddress, bytes.count, numbers, numbers.count)
        }
        if sent >= 0 { return sent }
        let code = UVError.Code.lastSystemError
        // ENOBUFS: as in libuv, which takes it for a lack of room.
        if code == .resourceTemporarilyUnavailable || code == .noBufferSpace { return 0 }
        throw UVError(code, in: "send", to: "descriptor \(socket.rawValue)")
    }

    /// Takes the next message, or over a socket for streams the bytes that are there, up to and including the first ones with
    /// descriptors.
    ///
    /// One receiver at a time: two at the same socket, in other processes too, take each other's descriptors.
    ///
    /// - Parameter limit: The most bytes.
    /// - Returns: `nil` when the peer has finished.
    /// - Throws: ``UVError`` with `.resourceTemporarilyUnavailable` when nothing has come. `.tooManyOpenFiles` when the process has no
    ///   room for all descriptors, and `.messageTooLong` when the message is larger than the limit: on Linux it stays for a later
    ///   call. `.connectionReset` when the peer ended without having taken all. No descriptor stays open.
    ///
    /// Calls the system's `recvmsg`.
    public static func receive(
        from socket: FileDescriptor, upTo limit: Int = 65_536
    ) throws(UVError) -> LocalMessage? {
        guard limit > 0, limit <= 1 << 30 else {
            throw UVError(.invalidArgument, in: "receive", of: "a message of up to \(limit) bytes")
        }
        var numbers = [CInt](repeating: -1, count: mostDescriptors)
        var count = 0
        var bytes = [UInt8].unset(count: limit)
        let received = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe cplatform_receive_message(socket.rawValue, bytes.baseAddress, bytes.count, &numbers, &count)
        }
        guard received >= 0 else {
            throw UVError(.lastSystemError, in: "receive", from: "descriptor \(socket.rawValue)")
        }
        if received == 0 { return nil }
        // Small ones do not keep the memory of a large one.
        if received < limit / 2 { bytes = Array(bytes[..<received]) } else { bytes.removeLast(limit - received) }
        return LocalMessage(
            bytes: bytes,
            descriptors: numbers[..<count].map { PassedDescriptor(FileDescriptor(rawValue: $0)) })
    }
}
