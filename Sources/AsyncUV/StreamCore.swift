internal import UV

/// The part of a connection that lives on its loop's thread.
final class StreamCore {
    let handle: StreamHandle
    private var reader = Suspension<[UInt8]?>()
    /// The task of the scope that owns the connection: its reads are woken by the scope's one cancellation handler.
    private var owner = TaskIdentity.none
    private var readerIsOwner = false
    private var reads = 0
    /// Bytes that a reader took and gave back.
    var returned: [UInt8] = []
    /// Kept, so that a read allocates nothing. Refers to this object until ``close()``.
    private var onReceived: ((StreamHandle, Result<[UInt8]?, UVError>) -> Void)?

    init(_ handle: StreamHandle) {
        self.handle = handle
        onReceived = { _, result in self.received(result) }
    }

    // MARK: Reading

    /// What ``beginRead(upTo:byOwner:)`` found.
    enum Begun {
        case bytes([UInt8]?)
        /// The caller suspends; the number tells its read from later ones.
        case waits(Int)
    }

    @inline(__always)
    var isOwnedByCurrentTask: Bool { owner.isCurrent }

    @inline(__always)
    func beginRead(upTo limit: Int, byOwner: Bool) throws -> Begun {
        if reader.isWaiting { throw UVError(.alreadyInProcess, in: "read", of: "a connection that another task reads") }
        if !returned.isEmpty { return .bytes(takeReturned(limit)) }
        guard let onReceived else { throw UVError(.badFileDescriptor, in: "read", of: "a closed connection") }
        switch try handle.receive(upTo: limit, onDone: onReceived) {
        case .received(let bytes): return .bytes(bytes)
        case .ended: return .bytes(nil)
        case .waiting:
            readerIsOwner = byOwner
            reads &+= 1
            return .waits(reads)
        }
    }

    func wait(_ reader: Suspension<[UInt8]?>) { self.reader = reader }

    private func received(_ result: Result<[UInt8]?, UVError>) {
        switch result {
        case .success(let bytes): reader.resume(returning: bytes)
        case .failure(let error): reader.resume(with: .failure(error))
        }
    }

    /// Ends a read with `CancellationError`. No byte is lost: what comes is for the next one.
    func cancelRead(_ number: Int) {
        guard reader.isWaiting, number == reads else { return }
        handle.cancelReceive()
        reader.resume(with: .failure(CancellationError()))
    }

    private func takeReturned(_ limit: Int) -> [UInt8] {
        let bytes = Array(returned.prefix(limit))
        returned.removeFirst(bytes.count)
        return bytes
    }

    // MARK: The owner's scope

    func openScope() { owner = .current }

    func closeScope() { owner = .none }

    /// The owner was cancelled.
    func cancelOwner() { if readerIsOwner { cancelRead(reads) } }

    // MARK: Closing

    func close() {
        onReceived = nil
        handle.close()
    }

    /// Closes a TCP connection so that the peer gets a reset.
    func reset() {
        onReceived = nil
        (handle as? TCPHandle)?.reset()
    }
}
