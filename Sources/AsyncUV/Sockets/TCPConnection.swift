public import UV

/// A TCP connection. Dropping the last reference closes it, as ``close()`` does.
public final class TCPConnection: HandleConnection {
    public typealias Handle = TCPHandle

    public let stream: LoopStream
    /// The address of the other side.
    public let remoteAddress: SocketAddress

    public init(_ handle: TCPHandle, on loop: EventLoop) throws(UVError) {
        do throws(UVError) {
            remoteAddress = if let peer = handle.peer { peer } else { try handle.remoteAddress }
        } catch {
            handle.close()
            throw error
        }
        stream = LoopStream(handle, on: loop)
    }

    deinit { stream.drop() }

    /// For people: `TCP connection with 127.0.0.1:7000`.
    public var description: String { "TCP connection with \(remoteAddress)" }

    /// The address of this side.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    public var localAddress: SocketAddress {
        get async throws { try await withHandle { try $0.localAddress } }
    }

    /// Closes with a reset: the peer gets `.connectionReset`, and what it has not read yet is lost, as are unsent bytes.
    /// Nothing lives on. Otherwise as ``close()``.
    public func closeWithReset() async {
        await stream.end { core in core.close { ($0 as? TCPHandle)?.closeWithReset() } }
    }

    /// Sends small writes at once instead of waiting for more (TCP_NODELAY).
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed.
    public func setNoDelay(enabled: Bool) async throws {
        // Direct where it can be: the frames of deep calls would cost each connection's task another KiB for good.
        if loop.isCurrent { return try stream.handle(as: TCPHandle.self).setNoDelay(enabled: enabled) }
        try await withHandle { try $0.setNoDelay(enabled: enabled) }
    }

    /// Detects peers that vanished without a word; `nil` turns it off.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for numbers out of range, `.badFileDescriptor` when closed.
    public func setKeepAlive(_ keepAlive: TCPKeepAlive?) async throws {
        if loop.isCurrent { return try stream.handle(as: TCPHandle.self).setKeepAlive(keepAlive) }
        try await withHandle { try $0.setKeepAlive(keepAlive) }
    }
}
