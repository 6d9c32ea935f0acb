public import UV

/// An open file. Its operations run in libuv's thread pool while the loop goes on. Bytes that the system has in memory are read
/// at once, on the loop. Dropping the last reference closes the file.
///
/// Operations of several tasks run side by side. A file has no position of its own: each read and write says where.
///
/// Errors are ``UVError`` with the path: `.badFileDescriptor` when it is closed, `.canceled` when the loop ends first, and
/// what the system says: `.ioError`, `.permissionDenied`, ….
///
/// Cancellation: the task goes on at once, with `CancellationError`. An operation that no thread has begun does not happen; one
/// that a thread has begun ends in the background.
///
/// Timeout: how long to wait, in the line for a thread too; `nil` for ever. When it is over, the call throws ``UVError`` with
/// `.timedOut` and the path; all else is as after a cancellation. What needs no thread is done whatever the timeout.
public final class File: Sendable {
    /// The path it was opened with.
    public let path: FilePath
    /// The loop that the file lives on.
    public let loop: EventLoop
    let core: LoopBound<FileCore>
    /// For operations, which the core counts.
    let descriptor: FileDescriptor

    init(_ core: FileCore, _ path: FilePath, on loop: EventLoop) {
        self.core = LoopBound(core)
        descriptor = core.descriptor
        self.path = path
        self.loop = loop
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent {
            core.open(on: loop).close { _ in }
        } else {
            loop.post { core.open(on: loop).close { _ in } }
        }
    }

    // MARK: Opening and closing

    /// Opens a file, closed on exec.
    ///
    /// Opening never waits. A FIFO without a reader cannot be opened for writing (`.noSuchAddressOrDevice`), a regular file that
    /// another process has a lease on (see fcntl(2)) not at all (`.resourceTemporarilyUnavailable`). FIFOs and terminals have no
    /// positions, so reads and writes at an offset are `.illegalSeek`; use `append(_:)`, which waits for room, and
    /// ``FileSystem/readFile(_:limit:timeout:on:)``, which waits for bytes.
    ///
    /// - Parameter options: With `.append` each write goes behind the file's end, whatever its offset.
    /// - Parameter permissions: Those of a file that `.create` in the options makes, less the process's mask; its owner's to
    ///   read and write if `nil`.
    /// - Throws: ``UVError`` with the path and `.noSuchFileOrDirectory`, `.permissionDenied`, `.fileExists`, ….
    ///
    /// Cancellation and timeout: with `.create` the file may be there; it is not open.
    public static func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode = .readOnly, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> File {
        try await loop.perform("open", of: path.string, within: timeout) { core, pending in
            let request = try FileRequest.start(
                .open(path, mode, options: options, permissions: permissions), on: core.loop
            ) { _, result in
                // If nobody waits any more, the file closes itself.
                pending.finish(
                    result.map {
                        File(FileCore($0, path, isReadOnly: mode == .readOnly, on: core.loop), path, on: loop)
                    }.mapError { $0 })
            }
            pending.onCancel = { try? request.cancel() }
        }
    }

    /// Opens a file for a body and closes it afterwards, whatever happens.
    ///
    /// - Parameter timeout: For opening.
    /// - Throws: What opening, the body or closing throws, the first of them. Otherwise as
    ///   ``open(_:_:options:permissions:timeout:on:)``.
    public static func withFile<Value>(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode = .readOnly, options: FileDescriptor.OpenOptions = [],
        permissions: FilePermissions? = nil, timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared,
        _ body: nonisolated(nonsending) (File) async throws -> Value
    ) async throws -> Value {
        let file = try await open(
            path, mode, options: options, permissions: permissions, timeout: timeout, on: loop)
        let value: Value
        do { value = try await body(file) } catch {
            try? await file.close()
            throw error
        }
        try await file.close()
        return value
    }

    /// Waits for the operations that are under way, but for no lock, and closes the file; in a cancelled task too. Closing twice
    /// is harmless: the second call waits as well.
    ///
    /// - Throws: ``UVError`` with `.ioError`, `.noSpace` and relatives when the system reports that an earlier write has
    ///   failed. The file is closed nevertheless.
    ///
    /// Cancellation: does not hurry it.
    public func close() async throws {
        guard loop.hostsCurrentTask else { return try await loop.hop { try await self.close() } }
        let core = core.open(on: loop)
        let closing = Wait<Void>("close")
        core.close { error in closing.finish(error.map { .failure($0) } ?? .success(())) }
        try await closing.value(on: loop)
    }

    // MARK: Reading

    /// Reads bytes: as many as are asked for, unless the file ends before. At the end there are none. Pseudo-files (`/proc`) may
    /// give fewer at any time, and no system gives more than 2 GiB at once.
    ///
    /// - Parameter limit: The most bytes to read. Memory is allocated for the bytes that the file has, not for the limit.
    /// - Parameter offset: From the file's start, in bytes.
    /// - Throws: ``UVError`` with `.isDirectory`, `.invalidArgument` for a negative number, `.badFileDescriptor` when it is
    ///   closed or not open for reading.
    ///
    /// Cancellation: a read that has begun goes on in the background, and its bytes are dropped.
    public func read(upTo limit: Int, at offset: Int64) async throws -> [UInt8] {
        guard loop.isCurrent else { return try await readElsewhere(upTo: limit, at: offset) }
        if let bytes = try readCached(upTo: limit, at: offset) { return bytes }
        return try await readInPool(upTo: limit, at: offset)
    }

    /// Reads bytes within a time. Otherwise as ``read(upTo:at:)``, which costs a little less.
    ///
    /// Timeout: a read that has begun goes on in the background, and its bytes are dropped.
    public func read(upTo limit: Int, at offset: Int64, timeout: Duration?) async throws -> [UInt8] {
        guard loop.isCurrent else {
            return try await loop.hop { try await self.read(upTo: limit, at: offset, timeout: timeout) }
        }
        if let bytes = try readCached(upTo: limit, at: offset) { return bytes }
        return try await readInPool(upTo: limit, at: offset, within: timeout)
    }

    /// What is in memory, for a task on the loop.
    @inline(__always)
    func readCached(upTo limit: Int, at offset: Int64) throws -> [UInt8]? {
        try checkCancellation()
        return try core.lend(on: loop) { try $0.readCached(upTo: limit, at: offset) }
    }

    /// Apart, so that the frames of the hop are not in everybody's.
    @inline(never)
    private func readElsewhere(upTo limit: Int, at offset: Int64) async throws -> [UInt8] {
        try await loop.hop { try await self.read(upTo: limit, at: offset) }
    }

    /// Fills an array from its start, without making a new one.
    ///
    /// - Returns: How many bytes were read: fewer than the array has room for where ``read(upTo:at:)`` would give fewer. The rest
    ///   of the array means nothing.
    ///
    /// Cancellation, timeout, and any error: the array is empty. Otherwise as ``read(upTo:at:)``.
    public func read(into buffer: inout [UInt8], at offset: Int64, timeout: Duration? = nil) async throws -> Int {
        if loop.isCurrent {
            do {
                try checkCancellation()
                if let count = try core.lend(on: loop, { try $0.readCached(into: &buffer, at: offset) }) {
                    return count
                }
            } catch {
                buffer = []
                throw error
            }
        }
        // The array is somebody else's until it is filled.
        let lent = Lent(buffer)
        buffer = []
        let isCurrent = loop.isCurrent
        let result =
            isCurrent
            ? try await readInPool(into: lent, at: offset, within: timeout)
            : try await loop.hop {
                var buffer = lent.take()
                let count = try await self.read(into: &buffer, at: offset, timeout: timeout)
                return (buffer: buffer, count: count)
            }
        buffer = result.buffer
        return result.count
    }

    private func readInPool(
        into buffer: Lent, at offset: Int64, within timeout: Duration?
    ) async throws -> (buffer: [UInt8], count: Int) {
        try await use("read", within: timeout) { [descriptor, path] in
            try FileRequest.read(
                from: descriptor, named: path, into: buffer.take(), at: offset, on: $0, onDone: $1)
        }
    }

    /// Reads exactly so many bytes, in as many reads as it takes.
    ///
    /// - Parameter timeout: For all of them.
    /// - Throws: ``UVError`` with `.endOfFile` when the file ends before.
    ///
    /// Otherwise as ``read(upTo:at:)``.
    public func read(exactly count: Int, at offset: Int64, timeout: Duration? = nil) async throws -> [UInt8] {
        let time = TimeLeft(timeout)
        var bytes = try await read(upTo: count, at: offset, timeout: time.left)
        while bytes.count < count {
            let more = try await read(
                upTo: count - bytes.count, at: offset + Int64(bytes.count), timeout: time.left)
            if more.isEmpty {
                throw UVError(.endOfFile, in: "read", of: "\(path) after \(bytes.count) of \(count) bytes")
            }
            bytes += more
        }
        return bytes
    }

    // MARK: Inside

    /// Does an operation on the descriptor.
    ///
    /// - Parameter undo: Called after a success that came when nobody waited any more.
    func perform<Value: Sendable>(
        _ operation: FileOperation<Value>, within timeout: Duration?,
        undo: @escaping @Sendable (FileCore) -> Void = { _ in }
    ) async throws -> Value {
        let operation = operation.named(path)
        return try await use(operation.name, within: timeout, undo: undo) {
            try FileRequest.start(operation, on: $0, onDone: $1)
        }
    }

    /// Does a request that uses the descriptor, which stays open until the request is done.
    ///
    /// - Parameter path: What it is done to, for the error of a timeout, if that is another file below this directory.
    func use<Value: Sendable>(
        _ operation: StaticString, of path: FilePath? = nil, within timeout: Duration?,
        undo: @escaping @Sendable (FileCore) -> Void = { _ in },
        _ begin: @Sendable (Loop, @escaping FileRequest.Completion<Value>) throws -> FileRequest
    ) async throws -> Value {
        try await loop.perform(operation, of: (path ?? self.path).string, within: timeout) {
            [core, loop] loopCore, wait in
            let file = core.open(on: loop)
            try file.enter(operation)
            do {
                let request = try begin(loopCore.loop) { _, result in
                    let isWanted = wait.finish(result.mapError { $0 })
                    if !isWanted, case .success = result { undo(file) }
                    file.leave()
                }
                wait.onCancel = { try? request.cancel() }
            } catch {
                file.leave()
                throw error
            }
        }
    }
}
