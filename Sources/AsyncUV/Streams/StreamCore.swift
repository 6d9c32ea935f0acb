internal import UV

/// The part of a connection that lives on its loop's thread.
final class StreamCore {
    let handle: StreamHandle
    @exclusivity(unchecked) private(set) var reader = Suspension<[UInt8]?>()
    /// The task of the scope that owns the connection: its reads are woken by the scope's one cancellation handler.
    @exclusivity(unchecked) private var owner = TaskIdentity.none
    /// Made when it is needed: connections that are only read by chunks never have it.
    @exclusivity(unchecked) var returned: Returned?
    // One word.
    @exclusivity(unchecked) private var reads: UInt32 = 0
    @exclusivity(unchecked) private var readerIsOwner = false

    init(_ handle: StreamHandle) {
        self.handle = handle
        // The one way from the handle's callbacks back to here, without a closure to keep for each connection.
        handle.attachment = self
    }

    // MARK: Reading

    /// What ``beginRead(upTo:byOwner:)`` found.
    enum Begun {
        case bytes([UInt8]?)
        /// The caller suspends; the number tells its read from later ones.
        case waits(UInt32)
    }

    /// A read by the task of the scope; `nil` for any other caller.
    @inline(__always)
    func beginOwnersRead(upTo limit: Int) throws -> Begun? {
        unsafe owner.isCurrent ? try beginRead(upTo: limit, byOwner: true) : nil
    }

    @inline(__always)
    func beginRead(upTo limit: Int, byOwner: Bool) throws -> Begun {
        if unsafe reader.isWaiting { throw isBeingRead }
        if unsafe returned != nil, let bytes = try takeReturned(limit) { return .bytes(bytes) }
        switch try handle.read(upTo: limit, onDone: streamReceived) {
        case .bytes(let bytes): return .bytes(bytes)
        case .ended: return .bytes(nil)
        case .waiting: return .waits(beginWait(byOwner: byOwner))
        }
    }

    /// - Returns: The number of the read that waits from now on.
    @inline(__always)
    func beginWait(byOwner: Bool) -> UInt32 {
        unsafe readerIsOwner = byOwner
        unsafe reads &+= 1
        return unsafe reads
    }

    /// Whether the caller is the task of the scope.
    @inline(__always)
    var isOwners: Bool { unsafe owner.isCurrent }

    @inline(__always)
    func wait(_ reader: Suspension<[UInt8]?>) {
        if unsafe returned != nil, resume(reader) { return }
        unsafe self.reader = reader
    }

    /// Resumes a task whose read has ended before the task was suspended.
    private func resume(_ reader: Suspension<[UInt8]?>) -> Bool {
        guard let early = unsafe returned?.early.take() else { return false }
        var reader = reader
        reader.resume(with: early)
        return true
    }

    /// Keeps the end of a read whose task is not suspended yet: see ``RuntimeShortcuts``.
    private func keep(_ early: Result<[UInt8]?, any Error>) {
        let returned = makeReturned()
        unsafe returned.early = early
    }

    func received(_ result: Result<[UInt8]?, UVError>) {
        guard unsafe reader.isWaiting else { return keep(result.mapError { $0 }) }
        switch result {
        case .success(let bytes): unsafe reader.resume(returning: bytes)
        case .failure(let error): unsafe reader.resume(with: .failure(error))
        }
    }

    /// Ends a read with `CancellationError`. No byte is lost: what comes is for the next one.
    func cancelRead(_ number: UInt32) {
        guard unsafe number == reads else { return }
        let isReading = handle.cancelRead()
        if unsafe reader.isWaiting {
            unsafe reader.resume(with: .failure(CancellationError()))
        } else if isReading {
            keep(.failure(CancellationError()))
        }
    }

    /// Bytes that came and were not taken; `nil` when there are none.
    private func takeReturned(_ limit: Int) throws -> [UInt8]? {
        if limit < 1 { throw UVError(.invalidArgument, in: "read", of: "up to \(limit) bytes") }
        guard let returned = unsafe returned else { return nil }
        if unsafe returned.room != nil { throw isBeingRead }
        guard let bytes = unsafe returned.bytes.take(upTo: limit) else { return nil }
        if unsafe returned.bytes.isEmpty { passMemoryOn(returned) }
        return bytes
    }

    /// Puts bytes before what was given back earlier; after a close they are dropped.
    func giveBack(_ rest: consuming LineSplitter) {
        if rest.isEmpty || handle.isClosing { return }
        let returned = makeReturned()
        if unsafe returned.bytes.isEmpty {
            unsafe returned.bytes = rest
        } else if let rest = rest.take(upTo: .max) {
            unsafe returned.bytes.prepend(rest)
        }
    }

    var isBeingRead: UVError {
        UVError(.alreadyInProcess, in: "read", of: "a connection that another task reads")
    }

    // MARK: The owner's scope

    func openScope() { unsafe owner = .current }

    func closeScope() { unsafe owner = .none }

    /// The owner was cancelled.
    func cancelOwner() { if unsafe readerIsOwner { unsafe cancelRead(reads) } }

    // MARK: Closing

    /// - Returns: What is left of the connection until the peer has finished.
    @discardableResult
    func close() -> LingeringClose? {
        unsafe returned?.bytes = LineSplitter()
        return handle.closeGently()
    }

    /// Closes in another way.
    func close(_ close: (StreamHandle) -> Void) {
        unsafe returned?.bytes = LineSplitter()
        close(handle)
    }
}

/// Bytes that came and that no reader has taken yet, or that a reader has given back.
final class Returned {
    /// The end of a read that came before its task was suspended.
    @exclusivity(unchecked) var early: Result<[UInt8]?, any Error>?
    @exclusivity(unchecked) var bytes = LineSplitter()
    /// The array of a reader that brought its own; what comes is appended to it.
    @exclusivity(unchecked) var room: [UInt8]?
}

/// Ends one read of a task that does not own the connection's scope.
final class ReadCancellation: WaitLink {
    private let core: StreamCore
    private let number: UInt32

    init(_ core: StreamCore, _ number: UInt32) {
        self.core = core
        self.number = number
        super.init("read")
    }

    override func give(up error: any Error) { core.cancelRead(number) }
}

private func streamReceived(_ stream: StreamHandle, _ result: Result<[UInt8]?, UVError>) {
    // The stream keeps its core until after its last callback.
    unsafe stream.lentAttachment?._withUnsafeGuaranteedRef {
        unsafe unsafeDowncast($0, to: StreamCore.self).received(result)
    }
}
