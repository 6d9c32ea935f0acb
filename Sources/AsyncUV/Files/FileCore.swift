internal import CPlatform
internal import SystemPackage
internal import UV

/// The part of a ``File`` that lives on its loop's thread: the owner of the descriptor.
///
/// A thread of the pool may still use the descriptor when the task that asked has been cancelled, or when the file is
/// closed: the system closes it after the last of them, else its number could be another file's by then.
final class FileCore {
    let descriptor: FileDescriptor
    private let loop: Loop
    let path: FilePath
    private var underWay = 0
    private(set) var isClosed = false
    /// Whether the descriptor was given to a request that closes it.
    private var isDone = false
    /// Those who wait for the end of closing; `nil` when it has come.
    private var whenClosed: [(UVError?) -> Void]? = []
    private var whenIdle: (() -> Void)?
    /// Requests that wait for other programs, perhaps for ever: closing ends them.
    var waits: [ObjectIdentifier: FileRequest] = [:]
    /// Whether the file system can say what it has in memory.
    private var mayBeCached = true
    private var isReadInOrder = false
    /// Nothing was ever written with the descriptor.
    private let isReadOnly: Bool
    /// Whether its volume answers at once; `nil` while nobody has asked.
    private(set) var isLocal: Bool?

    /// - Parameter isReadOnly: Whether the descriptor is one that cannot write.
    init(
        _ descriptor: FileDescriptor, _ path: FilePath, isReadOnly: Bool = false, isLocal: Bool? = nil, on loop: Loop
    ) {
        self.descriptor = descriptor
        self.path = path
        self.isReadOnly = isReadOnly
        self.isLocal = isLocal
        self.loop = loop
    }

    deinit {
        if !isDone { try? descriptor.close() }
    }

    /// Counts a request, which must be followed by ``leave()``.
    func enter(_ operation: StaticString) throws(UVError) {
        if isClosed { throw UVError(.badFileDescriptor, in: "\(operation)", of: "\(path), which is closed") }
        underWay += 1
    }

    func leave() {
        underWay -= 1
        if underWay == 0 { whenIdle.take()?() }
    }

    // MARK: Reading from memory

    /// What the page cache has, or `nil`.
    func readCached(upTo limit: Int, at offset: Int64) throws -> [UInt8]? {
        guard mayBeCached, !isClosed else { return nil }
        let found: PageCache.Found<[UInt8]>
        do throws(UVError) { found = try PageCache.read(from: descriptor, upTo: limit, at: offset, on: loop) } catch {
            throw error.naming(path)
        }
        switch found {
        case .found(let bytes): return bytes
        case .notCached: return nil
        case .unsupported:
            mayBeCached = false
            return nil
        }
    }

    func readCached(into buffer: inout [UInt8], at offset: Int64) throws -> Int? {
        guard mayBeCached, !isClosed else { return nil }
        let found: PageCache.Found<Int>
        do throws(UVError) { found = try PageCache.read(into: &buffer, from: descriptor, at: offset, on: loop) } catch {
            throw error.naming(path)
        }
        switch found {
        case .found(let count): return count
        case .notCached: return nil
        case .unsupported:
            mayBeCached = false
            return nil
        }
    }

    /// Lets the system read further ahead, from now on: twice as far, on Linux.
    func readInOrder() {
        if isReadInOrder || isClosed { return }
        isReadInOrder = true
        cplatform_read_in_order(descriptor.rawValue)
    }

    // MARK: On a local volume

    /// What sort of file it is; `nil` while nobody has asked.
    private(set) var kind: FileKind?

    private var identity: FileIdentity?

    /// Remembers what a thread has found out.
    func learn(_ file: OpenedFile) {
        isLocal = file.isLocal
        learn(file.status)
    }

    private func learn(_ status: FileStatus) {
        kind = status.kind
        if identity == nil { identity = FileIdentity(status) }
    }

    /// What the system knows of the file; `nil` if a thread has to ask.
    func statusNow() -> FileStatus? {
        guard isLocal == true, !isClosed, let status = LocalFiles.status(of: descriptor) else { return nil }
        learn(status)
        return status
    }

    /// Opens what is below the directory; `nil` if a thread has to look. Errors as of ``LocalFiles/open(_:below:options:_:)``.
    func openNow(_ path: FilePath, options: FileDescriptor.OpenOptions) throws(UVError) -> FileCore? {
        guard isLocal == true, !isClosed else { return nil }
        let name = path.isRelative ? self.path.pushing(path) : self.path.appending(path.components)
        guard let file = try LocalFiles.open(path, below: descriptor, options: options, name) else { return nil }
        return FileCore(file, name, isReadOnly: true, isLocal: true, on: loop)
    }

    /// Sends what is in memory. Otherwise as ``LocalFiles/send(from:_:named:at:count:to:on:)``.
    func sendNow(_ count: Int, at offset: Int64, to socket: FileDescriptor) throws(UVError) -> Int? {
        guard isLocal == true, mayBeCached, !isClosed, let identity else { return nil }
        return try LocalFiles.send(
            from: descriptor, identity, named: path, at: offset, count: count, to: socket, on: loop)
    }

    /// A thread has sent bytes of the file: they are in memory now.
    func sentByThread(_ count: Int, at offset: Int64) {
        if isLocal == true, let identity { LocalFiles.noteInMemory(count, of: identity, at: offset, on: loop) }
    }

    /// Gives up a lock on the file.
    func unlock(_ onDone: @escaping (Result<Void, UVError>) -> Void) {
        do throws(UVError) {
            try enter("unlock")
            try FileRequest.start(.unlock(descriptor).named(path), on: loop) { _, result in
                self.leave()
                onDone(result)
            }
        } catch { onDone(.failure(error)) }
    }

    // MARK: Closing

    /// Closes the descriptor when nobody uses it any more.
    func close(_ onDone: @escaping (UVError?) -> Void) {
        guard whenClosed?.append(onDone) != nil else { return onDone(nil) }
        if isClosed { return }
        isClosed = true
        for request in waits.values { try? request.cancel() }
        if underWay == 0 { closeDescriptor() } else { whenIdle = closeDescriptor }
    }

    private func closeDescriptor() {
        if isReadOnly, isLocal == true, LocalFiles.close(descriptor) {
            isDone = true
            return closed(nil)
        }
        do {
            try FileRequest.start(.close(descriptor).named(path), on: loop) { _, result in
                if case .failure(let error) = result { self.closed(error) } else { self.closed(nil) }
            }
            isDone = true
        } catch { closed(error) }
    }

    private func closed(_ error: UVError?) {
        let waiting = whenClosed.take() ?? []
        for call in waiting { call(error) }
    }
}
