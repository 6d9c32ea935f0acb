internal import CReadiness
internal import Glibc
internal import SystemPackage

/// What ``Socket/receive(into:)`` found.
public enum Received: Equatable, Sendable {
    /// So many bytes, at least one.
    case bytes(Int)

    /// The peer has finished sending.
    case end

    /// Nothing yet. Only non-blocking sockets say this.
    case wouldBlock
}

/// What `Socket.send(_:)` has done.
public enum Sent: Equatable, Sendable {
    /// The kernel took so many bytes: perhaps not all.
    case bytes(Int)

    /// The kernel's buffer is full. Only non-blocking sockets say this.
    case wouldBlock
}

/// What ``Socket/accept(blocking:)`` found.
public enum Accepted: Sendable {
    /// A new connection.
    case connection(Socket)

    /// No connection waits, or it has gone meanwhile. Only non-blocking listeners say this.
    case wouldBlock
}

extension Socket {
    /// Receives what has arrived, at most as many bytes as the array has, into its beginning.
    ///
    /// - Throws: ``SystemError``, such as `.connectionReset`; `.invalidArgument` for an empty array, in which no byte
    ///   could be told from the end.
    public func receive(into bytes: inout [UInt8]) throws(SystemError) -> Received {
        let count = unsafe bytes.withUnsafeMutableBytes { bytes in
            unsafe bytes.isEmpty ? Int(-EINVAL) : readiness_receive(descriptor, bytes.baseAddress, bytes.count)
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        if count == -Int(EAGAIN) { return .wouldBlock }
        throw SystemError(Errno(rawValue: CInt(-count)), in: "recv")
    }

    /// Hands bytes to the kernel. It may take a part: go on with the rest when the socket is writable.
    ///
    /// - Parameter urgent: The last byte is out-of-band data: the peer sees it as `.priority`.
    public func send(_ bytes: Span<UInt8>, urgent: Bool = false) throws(SystemError) -> Sent {
        guard !bytes.isEmpty else { return .bytes(0) }
        let flags = urgent ? CInt(MSG_OOB) : 0
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe readiness_send(descriptor, bytes.baseAddress, bytes.count, flags)
        }
        if count == -Int(EAGAIN) { return .wouldBlock }
        return .bytes(try check(count, "send"))
    }

    /// Hands over all bytes, however long that takes. For blocking sockets.
    ///
    /// - Throws: ``SystemError``; a part may have been sent. `.resourceTemporarilyUnavailable` from a non-blocking socket.
    public func sendAll(_ bytes: Span<UInt8>) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            switch try send(bytes.extracting(done..<bytes.count)) {
            case .bytes(let count): done += count
            case .wouldBlock: try check(-EAGAIN, "send")
            }
        }
    }

    /// Hands over an array. The same as with its span.
    public func send(_ bytes: [UInt8], urgent: Bool = false) throws(SystemError) -> Sent {
        try send(bytes.span, urgent: urgent)
    }

    /// Hands over all of an array. The same as with its span.
    public func sendAll(_ bytes: [UInt8]) throws(SystemError) { try sendAll(bytes.span) }

    /// Takes the next connection of a listener.
    ///
    /// Connections that ended before they were taken are passed over.
    ///
    /// - Parameter blocking: Whether the connection's calls shall block. It is not inherited from the listener.
    /// - Throws: ``SystemError``; see ``SystemError/isShortage``: then the connection still waits, and so does the
    ///   "readable" of the listener. Stop watching it for a while.
    public func accept(blocking: Bool) throws(SystemError) -> Accepted {
        while true {
            let result = readiness_accept(descriptor, blocking ? 1 : 0)
            switch -result {
            case EAGAIN: return .wouldBlock
            // accept(2): errors of the new connection, not of the listener.
            case ECONNABORTED, EPROTO, ENOPROTOOPT, EPERM, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, ENONET:
                continue
            default: return .connection(Socket(adopting: try check(result, "accept")))
            }
        }
    }
}
