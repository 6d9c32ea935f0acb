/// Datagrams that come or go in few system calls: their bytes stand in one array, which a batch keeps when it is emptied.
///
/// A batch that was received can be sent as it is: each datagram goes back to where it came from.
public struct DatagramBatch: Sendable {
    struct Entry {
        /// Where its bytes begin.
        let start: Int
        /// Who has sent it, or whom it is for; `nil` for the peer of a connected socket.
        let address: SocketAddress?
        let isTruncated: Bool
    }

    private(set) var storage: [UInt8] = []
    private(set) var entries: [Entry] = []

    /// Makes an empty batch.
    public init() {}

    /// How many datagrams it has.
    public var count: Int { entries.count }

    /// Whether it has no datagram.
    public var isEmpty: Bool { entries.isEmpty }

    /// How many bytes its datagrams have together.
    public var byteCount: Int { storage.count }

    /// Adds a copy of the bytes as a datagram.
    ///
    /// - Parameter address: Where it is to go; `nil` for the peer of a connected socket.
    public mutating func append(_ bytes: Span<UInt8>, to address: SocketAddress? = nil) {
        entries.append(Entry(start: storage.count, address: address, isTruncated: false))
        storage.append(copying: bytes)
    }

    /// Adds a copy of the bytes as a datagram. Otherwise as ``append(_:to:)``.
    public mutating func append(_ bytes: [UInt8], to address: SocketAddress? = nil) { append(bytes.span, to: address) }

    /// Adds the datagrams of another batch.
    public mutating func append(contentsOf other: DatagramBatch) {
        let start = storage.count
        storage += other.storage
        entries += other.entries.map {
            Entry(start: start + $0.start, address: $0.address, isTruncated: $0.isTruncated)
        }
    }

    @inline(__always)
    mutating func append(received bytes: Span<UInt8>, _ info: Datagram.Info) {
        entries.append(Entry(start: storage.count, address: info.from, isTruncated: info.isTruncated))
        storage.append(copying: bytes)
    }

    /// Drops all datagrams and keeps the memory for others.
    public mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
        storage.removeAll(keepingCapacity: true)
    }

    /// The bytes of a datagram, counted from 0, in ``storage``.
    @inline(__always)
    func range(_ index: Int) -> Range<Int> {
        entries[index].start..<(index + 1 < entries.count ? entries[index + 1].start : storage.count)
    }

    /// A copy of the bytes of a datagram, counted from 0. A number that is none traps, as with an array.
    public func bytes(at index: Int) -> [UInt8] { Array(storage[range(index)]) }

    /// Who has sent a datagram, counted from 0, or whom it is for; `nil` for the peer of a connected socket.
    public func address(at index: Int) -> SocketAddress? { entries[index].address }

    /// Whether bytes of a datagram, counted from 0, are missing at its end.
    public func isTruncated(at index: Int) -> Bool { entries[index].isTruncated }

    /// Lends the bytes of a datagram, counted from 0.
    @inline(__always)
    public func withBytes<Value>(at index: Int, _ body: (Span<UInt8>) throws -> Value) rethrows -> Value {
        try body(storage.span.extracting(range(index)))
    }
}
