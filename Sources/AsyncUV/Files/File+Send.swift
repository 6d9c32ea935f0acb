internal import CPlatform
internal import SystemPackage
internal import UV

extension File {
    /// Sends bytes of the file over a connection, without a trip through this process (sendfile), no faster than the peer
    /// takes them.
    ///
    /// What was written before leaves first. Nothing else may be written to the connection meanwhile: it would stand in
    /// the middle.
    ///
    /// - Parameter offset: Where to begin.
    /// - Parameter count: How many bytes; `nil` is up to the end.
    /// - Parameter onProgress: Called after each piece with the number of bytes sent so far.
    /// - Returns: How many bytes were sent: fewer than asked for when the file ends before.
    /// - Throws: ``UVError`` with `.brokenPipe` or `.connectionReset` when the peer is gone, `.invalidArgument` for a negative
    ///   number.
    ///
    /// Cancellation: some bytes may have been sent. A piece that a thread is sending, of 1 MiB at most, is waited for: it may
    /// wait for the disk, but not for the peer. So all bytes of the file stand before what is written to the connection next.
    @discardableResult
    public func send(
        to connection: TCPConnection, from offset: Int64 = 0, count: Int64? = nil,
        onProgress: (@Sendable (Int64) -> Void)? = nil
    ) async throws -> Int64 {
        guard loop.hostsCurrentTask else {
            return try await loop.hop {
                try await self.send(to: connection, from: offset, count: count, onProgress: onProgress)
            }
        }
        guard offset >= 0, count ?? 0 >= 0 else {
            throw UVError(.invalidArgument, in: "send", of: "\(path) from \(offset), \(count ?? 0) bytes")
        }
        // Behind everything written before.
        try await connection.write([])
        let socket = try await connection.withHandle { [path] in try SocketCopy(try $0.fileDescriptor, for: path) }
        let isRegular = try await status().kind == .regular
        var sent: Int64 = 0
        while sent < count ?? .max {
            // The copy of the socket would outlive the connection.
            if sent > 0 { _ = try await connection.withHandle { try $0.fileDescriptor.rawValue } }
            let wanted = Int(min((count ?? .max) - sent, 1 << 20))
            let position = offset + sent
            // The system sends from regular files.
            let more =
                isRegular
                ? try await send(wanted, at: position, to: socket, of: connection)
                : try await copy(wanted, at: position, to: connection)
            if more == 0 { break }
            sent += Int64(more)
            await connection.stream.noteMove()
            onProgress?(sent)
        }
        return sent
    }

    private func send(
        _ count: Int, at offset: Int64, to socket: SocketCopy, of connection: TCPConnection
    ) async throws -> Int {
        do {
            return try await sendPiece(count, at: offset, to: socket)
        } catch let error as UVError
            where [.resourceTemporarilyUnavailable, .invalidArgument, .ioError].contains(error.code)
        {
            // No room: a write through the connection waits for some, and ends when the connection is closed. Or a file
            // that the system does not send, or an error of either side: a read and a write tell which.
            return try await copy(count, at: offset, to: connection)
        }
    }

    /// Returns, or throws, when no thread writes to the socket any more.
    private func sendPiece(_ count: Int, at offset: Int64, to socket: SocketCopy) async throws -> Int {
        let piece = Piece()
        let bound = LoopBound(piece)
        do {
            return try await perform("send") { [loop] file, callbackLoop, onDone in
                let piece = bound.open(on: loop)
                let request = try FileRequest.send(
                    from: file, at: offset, count: count, to: socket.descriptor, on: callbackLoop
                ) { request, result in
                    // A thread that nobody waits for any more still has the socket.
                    withExtendedLifetime(socket) { onDone(request, result) }
                    piece.end()
                }
                piece.begin()
                return request
            }
        } catch {
            // A loop that has ended has closed the connection.
            if loop.isCurrent { try await piece.waitForEnd(on: loop) }
            throw error
        }
    }

    private func copy(_ count: Int, at offset: Int64, to connection: TCPConnection) async throws -> Int {
        let bytes = try await read(upTo: min(count, 65_536), at: offset)
        try await connection.write(bytes)
        return bytes.count
    }
}

/// A piece of a file that the pool sends. On the loop's thread only.
private final class Piece {
    private var sending: Wait<Void>?

    func begin() { sending = Wait("send") }

    func end() { sending?.finish(.success(())) }

    /// In a cancelled task too.
    func waitForEnd(on loop: EventLoop) async throws { try await sending?.value(on: loop) }
}

/// A socket of its own for the threads of the pool: the connection may be closed meanwhile.
private final class SocketCopy: Sendable {
    let descriptor: FileDescriptor

    /// - Parameter path: The file that is sent, for the error.
    init(_ socket: FileDescriptor, for path: FilePath) throws(UVError) {
        let copy = cplatform_duplicate(socket.rawValue)
        if copy < 0 { throw UVError(.tooManyOpenFiles, in: "send", of: path.string) }
        descriptor = FileDescriptor(rawValue: copy)
    }

    deinit { try? descriptor.close() }
}
