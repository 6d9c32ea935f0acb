internal import CPlatform
internal import SystemPackage
internal import UV

extension File {
    /// Sends bytes of the file over a connection, without a trip through this process (sendfile), no faster than the peer
    /// takes them.
    ///
    /// What is in memory, of a file on a local volume, is sent at once, up to 1 MiB at a time; a thread sends the rest, and all
    /// of it if the connection lives on another loop than the file.
    ///
    /// What was written before leaves first. Nothing else may be written to the connection meanwhile: it would stand in
    /// the middle.
    ///
    /// - Parameter offset: Where to begin.
    /// - Parameter count: How many bytes; `nil` is up to the end.
    /// - Parameter timeout: For all of them; `nil` for ever. One that is over ends it after a piece, but not before the first.
    /// - Parameter onProgress: Called after each piece with the number of bytes sent so far.
    /// - Returns: How many bytes were sent: fewer than asked for when the file ends before.
    /// - Throws: ``UVError`` with `.brokenPipe` or `.connectionReset` when the peer is gone, `.invalidArgument` for a negative
    ///   number, `.timedOut`.
    ///
    /// Cancellation and timeout: some bytes may have been sent. A piece that a thread is sending, of 1 MiB at most, is waited for: it may
    /// wait for the disk, but not for the peer. So all bytes of the file stand before what is written to the connection next.
    @discardableResult
    public func send(
        to connection: some StreamConnection, from offset: Int64 = 0, count: Int64? = nil, timeout: Duration? = nil,
        onProgress: (@Sendable (Int64) -> Void)? = nil
    ) async throws -> Int64 {
        do {
            return try await send(
                to: connection.stream, from: offset, count: count, TimeLeft(timeout), onProgress)
        } catch UVError.Code.timedOut where timeout != nil {
            throw UVError(.timedOut, in: "send", of: path.string)
        }
    }

    // Not generic, because generic code is slower and needs larger frames.
    private func send(
        to connection: LoopStream, from offset: Int64, count: Int64?, _ time: TimeLeft,
        _ onProgress: (@Sendable (Int64) -> Void)?
    ) async throws -> Int64 {
        guard loop.hostsCurrentTask else {
            return try await loop.hop {
                try await self.send(to: connection, from: offset, count: count, time, onProgress)
            }
        }
        guard offset >= 0, count ?? 0 >= 0 else {
            throw UVError(.invalidArgument, in: "send", of: "\(path) from \(offset), \(count ?? 0) bytes")
        }
        // Behind everything written before.
        try await connection.write([], within: time.left)
        let isFiltered = try await connection.isFiltered
        let kind = try await kind(within: time.left)
        var copyOfSocket: SocketCopy?
        var sent: Int64 = 0
        while sent < count ?? .max {
            if sent > 0, let left = time.left, left <= .zero {
                throw UVError(.timedOut, in: "send", of: path.string)
            }
            let position = offset + sent
            let rest = (count ?? .max) - sent
            if isFiltered {
                // The system would send the bytes as they are.
                let more = try await copy(min(rest, 65_536), at: position, to: connection, time)
                if more == 0 { break }
                sent += Int64(more)
                onProgress?(sent)
                continue
            }
            let more: Int
            switch try await sendNow(min(rest, 1 << 20), at: position, to: connection) {
            case .sent(let count): more = count
            case .noRoom: more = try await copy(min(rest, Self.pageSize), at: position, to: connection, time)
            case .notInMemory where kind == .regular:
                let socket = if let copyOfSocket { copyOfSocket } else { try await copySocket(of: connection) }
                copyOfSocket = socket
                more = try await send(min(rest, 1 << 20), at: position, to: socket, of: connection, time)
            // The system sends from regular files.
            case .notInMemory: more = try await copy(min(rest, 65_536), at: position, to: connection, time)
            }
            if more == 0 { break }
            sent += Int64(more)
            await connection.noteMove()
            onProgress?(sent)
        }
        return sent
    }

    private static let pageSize: Int64 = 4_096

    /// Asked once, because it does not change.
    private func kind(within timeout: Duration?) async throws -> FileKind {
        if loop.isCurrent, let kind = core.open(on: loop).kind { return kind }
        return try await status(timeout: timeout).kind
    }

    /// What became of a piece that was to be sent on the loop's thread.
    private enum Piece {
        case sent(Int)
        case noRoom
        case notInMemory
    }

    /// Sends a piece if it is in memory; the loop's turn is charged for it.
    private func sendNow(_ count: Int64, at offset: Int64, to connection: LoopStream) async throws -> Piece {
        // The loop may have ended while the last piece was on its way.
        guard loop.isCurrent else { throw loop.ended("send") }
        try checkCancellation()
        if connection.loop !== loop {
            // A closed one has no descriptor any more.
            _ = try await connection.withHandle(as: StreamHandle.self) { try $0.fileDescriptor }
            return .notInMemory
        }
        let socket = try connection.core.open(on: loop).handle.fileDescriptor
        do {
            guard let sent = try core.open(on: loop).sendNow(Int(count), at: offset, to: socket) else {
                return .notInMemory
            }
            if loop.charge(Cost.sending(sent)) { await loop.giveWay() }
            return .sent(sent)
        } catch UVError.Code.resourceTemporarilyUnavailable {
            return .noRoom
        } catch let error where Self.isToBeCopied(error) {
            return .notInMemory
        }
    }

    /// A file that the system does not send, or an error of either side: a read and a write tell which.
    private static func isToBeCopied(_ error: any Error) -> Bool {
        guard let code = (error as? UVError)?.code else { return false }
        return code == .invalidArgument || code == .ioError
    }

    private func copySocket(of connection: LoopStream) async throws -> SocketCopy {
        try await connection.withHandle(as: StreamHandle.self) { try SocketCopy(try $0.fileDescriptor, for: path) }
    }

    private func send(
        _ count: Int64, at offset: Int64, to socket: SocketCopy, of connection: LoopStream, _ time: TimeLeft
    ) async throws -> Int {
        do {
            let sent = try await sendPiece(Int(count), at: offset, to: socket, time)
            if loop.isCurrent { core.open(on: loop).sentByThread(sent, at: offset) }
            return sent
        } catch UVError.Code.resourceTemporarilyUnavailable {
            return try await copy(min(count, Self.pageSize), at: offset, to: connection, time)
        } catch let error where Self.isToBeCopied(error) {
            return try await copy(min(count, 65_536), at: offset, to: connection, time)
        }
    }

    /// Returns, or throws, when no thread writes to the socket any more.
    private func sendPiece(
        _ count: Int, at offset: Int64, to socket: SocketCopy, _ time: TimeLeft
    ) async throws -> Int {
        let piece = PieceUnderWay()
        let bound = LoopBound(piece)
        do {
            return try await use("send", within: time.left) { [loop, descriptor, path] callbackLoop, onDone in
                let piece = bound.open(on: loop)
                let operation = FileOperation.send(from: descriptor, at: offset, count: count, to: socket.descriptor)
                let request = try FileRequest.start(operation.named(path), on: callbackLoop) { request, result in
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

    /// Sends bytes by a write through the connection, which waits for room, and ends when the connection is closed.
    private func copy(
        _ count: Int64, at offset: Int64, to connection: LoopStream, _ time: TimeLeft
    ) async throws -> Int {
        let bytes = try await read(upTo: Int(count), at: offset, timeout: time.left)
        try await connection.write(bytes, within: time.left)
        return bytes.count
    }
}

/// A piece of a file that the pool sends. On the loop's thread only.
private final class PieceUnderWay {
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
