/// The state of ``StreamHandle/read(upTo:onDone:)``: one closure that waits, or one chunk that nobody asked for yet.
///
/// It is a part of the handle's own memory. It never calls a closure itself, because the closure may change it.
struct Receiver {
    typealias Closure = (StreamHandle, Result<[UInt8]?, UVError>) -> Void

    private enum End {
        case finished
        // An object of its own, because every stream has room for it and few need it.
        indirect case failed(UVError)
    }

    /// The most that one read takes.
    static let largest = 65_536

    var onDone: Closure?
    private var ahead: [UInt8] = []
    /// How much of it is taken.
    private var taken = 0
    private var end: End?
    // The small properties stand last, so that no gap follows them in the handle.
    private(set) var limit = Int32(largest)
    /// Whether libuv is reading for ``StreamHandle/read(upTo:onDone:)``.
    var isReading = false

    /// Whether the bytes of this read are lent to `onDone`, instead of an array made of them.
    var isLent = false

    /// Whether a closure waits, or bytes wait to be taken.
    var isInUse: Bool { onDone != nil || !ahead.isEmpty }

    @inline(__always)
    mutating func take(upTo limit: Int, _ onDone: @escaping Closure) throws(UVError) -> StreamHandle.ReadOutcome {
        if self.onDone != nil { throw UVError(.alreadyInProcess, in: "read", of: "a stream with a read waiting") }
        if !ahead.isEmpty { return .bytes(takeAhead(limit)) }
        if end != nil { return try takeEnd() }
        self.limit = Int32(min(limit, Self.largest))
        self.onDone = onDone
        return .waiting
    }

    /// Keeps a chunk that came while nobody waited. Reading stops, so that further bytes wait in the system.
    mutating func keep(_ bytes: [UInt8]) {
        ahead = bytes
        isReading = false
    }

    mutating func keepEnd(_ error: UVError?) {
        isReading = false
        isLent = false
        end = error.map { .failed($0) } ?? .finished
    }

    /// Back to where it was before the first read.
    mutating func clear() { self = Receiver() }

    private mutating func takeAhead(_ limit: Int) -> [UInt8] {
        if taken == 0, ahead.count <= limit {
            defer { ahead = [] }
            return ahead
        }
        let chunk = ahead[taken...].prefix(limit)
        taken = chunk.endIndex
        if taken == ahead.count {
            ahead = []
            taken = 0
        }
        return Array(chunk)
    }

    /// An error is told once.
    private mutating func takeEnd() throws(UVError) -> StreamHandle.ReadOutcome {
        guard case .failed(let error)? = end else { return .ended }
        end = .finished
        throw error
    }
}
