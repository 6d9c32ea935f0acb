internal import SystemPackage
internal import Synchronization
public import UV

extension File {
    /// Where following begins in a file that is there.
    public enum FollowStart: Hashable, Sendable {
        /// Everything that the file has.
        case beginning
        /// Only what is written from now on.
        case end
        /// From so many bytes behind the file's start on.
        case offset(Int64)
    }

    /// Follows what others write to the end of a file, as `tail -F` does.
    ///
    /// ```swift
    /// for try await line in try await File.follow("/var/log/syslog").lines() { print(line) }
    /// ```
    ///
    /// The path counts, not the file: a file that does not exist yet is read from its beginning as soon as it does, and one that
    /// takes the place of another (a log that is rotated) when the old one is read to its end; what a program still
    /// writes to the old file after that is not read, as with `tail`. A file that becomes shorter is read from its beginning again; if it is as long as before by the time somebody looks, nobody can tell. The system tells of
    /// changes at once; once a second the file is looked at in any case, because network volumes tell nothing.
    ///
    /// - Parameter onNotice: Gets what happens to the file, such as a rotation; called on the loop, between the bytes before
    ///   and after it.
    /// - Throws: ``UVError`` with the path: `.permissionDenied`, `.isDirectory`, …; `.canceled` when the loop ends.
    ///
    /// Cancellation: nothing is followed.
    public static func follow(
        _ path: FilePath, from start: FollowStart = .end, on loop: EventLoop = .current ?? .shared,
        onNotice: @escaping @Sendable (FollowedFile.Notice) -> Void = { _ in }
    ) async throws -> FollowedFile {
        let core = try await loop.making("follow") { callbackLoop in
            LoopBound(try FollowCore(path, on: callbackLoop))
        }
        let file = FollowedFile(core, path, on: loop, onNotice)
        try await file.begin(at: start)
        return file
    }
}

/// The bytes that others write to a file, as they come: see ``File/follow(_:from:on:onNotice:)``. It does not end. With the last
/// reference the file is closed.
public final class FollowedFile: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    /// What happens to a file that is followed.
    public enum Notice: Hashable, Sendable {
        /// There was no file, and now there is.
        case appeared
        /// Nothing has the path any more. What the old file still gets is read.
        case gone
        /// Another file has the path, and is read from its beginning.
        case replaced
        /// The file has become shorter, and is read from its beginning.
        case truncated
    }

    /// What comes next.
    enum Piece: Sendable {
        case bytes([UInt8])
        /// What comes next does not belong to what came before.
        case turn
    }

    /// The path that is followed.
    public let path: FilePath
    private let loop: EventLoop
    private let core: LoopBound<FollowCore>
    private let onNotice: @Sendable (Notice) -> Void
    /// What ``lines(limit:)`` has read and not told, for all its sequences.
    fileprivate let rest = Mutex(Rest())

    fileprivate struct Rest {
        var bytes = LineSplitter()
        /// The bytes are the last ones of a file that has ended.
        var isLast = false
    }

    fileprivate init(
        _ core: LoopBound<FollowCore>, _ path: FilePath, on loop: EventLoop,
        _ onNotice: @escaping @Sendable (Notice) -> Void
    ) {
        self.core = core
        self.path = path
        self.loop = loop
        self.onNotice = onNotice
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    /// Waits for bytes and takes those that are there, 64 KiB at most.
    ///
    /// - Throws: `CancellationError`; ``UVError`` of opening or reading the file, which can be tried again; `.resourceBusy` while
    ///   another task waits; `.canceled` when the loop ends.
    ///
    /// Cancellation: no byte is lost.
    public func next() async throws -> [UInt8] {
        if let bytes = rest.withLock({ $0.bytes.take(upTo: 65_536) }) { return bytes }
        while true { if case .bytes(let bytes) = try await nextPiece() { return bytes } }
    }

    /// The lines that are written, as text, without their ends (LF or CR LF). Wrong UTF-8 is repaired. A line is told when its end
    /// has been written, or when the file is replaced or truncated.
    ///
    /// - Parameter limit: The longest line, in bytes, without its end; a longer one throws ``UVError`` with `.messageTooLong`, again
    ///   and again: ``next()`` takes its bytes.
    public func lines(limit: Int = 1 << 20) -> FollowedLines { FollowedLines(file: self, limit: limit) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let file: FollowedFile

        public func next() async throws -> [UInt8]? { try await file.next() }

        // As in TCPConnection's.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> [UInt8]? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(file: self) }

    // MARK: Inside

    fileprivate func begin(at start: File.FollowStart) async throws {
        guard loop.hostsCurrentTask else { return try await loop.hop { try await self.begin(at: start) } }
        guard let (file, status) = try await open() else { return }
        let offset: Int64 =
            switch start {
            case .beginning: 0
            case .end: status.size
            case .offset(let offset): Swift.max(0, offset)
            }
        core.open(on: loop).follow(file, status, from: offset)
    }

    func nextPiece() async throws -> Piece {
        guard loop.hostsCurrentTask else { return try await loop.hop { try await self.nextPiece() } }
        try await loop.pace()
        let core = core.open(on: loop)
        try core.enter()
        defer { core.leave() }
        while true {
            // What happens from here on ends the wait below.
            core.isAwake = false
            if let piece = try await look(core) { return piece }
            try await loop.perform("follow") { [core = self.core, loop] _, wait in
                core.open(on: loop).wait(wait)
            }
        }
    }

    /// - Returns: `nil` if there is nothing new.
    private func look(_ core: FollowCore) async throws -> Piece? {
        if let piece = try await readOn(core) { return piece }
        let found = try await status()
        guard let found else {
            if core.file != nil, !core.isGone {
                core.isGone = true
                onNotice(.gone)
            }
            return nil
        }
        if core.isFollowing(found) {
            core.isGone = false
            return nil
        }
        // The old file may have got its last bytes after they were looked for.
        if let piece = try await readOn(core) { return piece }
        guard let (file, status) = try await open() else { return nil }
        let hadFile = core.file != nil
        core.follow(file, status, from: 0)
        onNotice(hadFile ? .replaced : .appeared)
        return .turn
    }

    private func readOn(_ core: FollowCore) async throws -> Piece? {
        guard let file = core.file else { return nil }
        let bytes = try await file.read(upTo: 65_536, at: core.offset)
        if !bytes.isEmpty {
            core.offset += Int64(bytes.count)
            return .bytes(bytes)
        }
        guard try await file.status().size < core.offset else { return nil }
        core.offset = 0
        onNotice(.truncated)
        return .turn
    }

    /// - Returns: `nil` if there is no file.
    private func open() async throws -> (File, FileStatus)? {
        do {
            let file = try await File.open(path, on: loop)
            let status = try await file.status()
            if status.kind == .directory { throw UVError(.isDirectory, in: "follow", of: path.string) }
            return (file, status)
        } catch let error as UVError where FollowCore.isAbsence(error) { return nil }
    }

    private func status() async throws -> FileStatus? {
        do { return try await FileSystem.status(of: path, on: loop) } catch let error as UVError
            where FollowCore.isAbsence(error)
        { return nil }
    }
}

/// The lines that are written to a file: see ``FollowedFile/lines(limit:)``.
public struct FollowedLines: AsyncSequence, Sendable {
    public typealias Element = String
    let file: FollowedFile
    let limit: Int

    public struct AsyncIterator: AsyncIteratorProtocol {
        let file: FollowedFile
        let limit: Int

        init(_ lines: FollowedLines) {
            file = lines.file
            limit = lines.limit
        }

        public mutating func next() async throws -> String? {
            while true {
                do throws(UVError) {
                    if let line = try file.rest.withLock({ rest throws(UVError) in try takeLine(&rest) }) {
                        return line
                    }
                } catch { throw error.naming(file.path) }
                let piece = try await file.nextPiece()
                file.rest.withLock { rest in
                    switch piece {
                    case .bytes(let more): rest.bytes.append(more)
                    case .turn: rest.isLast = true
                    }
                }
            }
        }

        private func takeLine(_ rest: inout FollowedFile.Rest) throws(UVError) -> String? {
            if let line = try rest.bytes.takeText(limit: limit, isLast: rest.isLast, "lines") { return line }
            if rest.isLast { rest = FollowedFile.Rest() }
            return nil
        }

        // As in TCPConnection's.
        public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> String? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }
}
