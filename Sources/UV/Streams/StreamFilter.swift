/// What stands between a stream's socket and its readers and writers, as TLS does: other bytes go over the socket than they have.
///
/// It knows no stream: the stream lends it what comes, and sends what it has sealed. On the loop's thread only.
package protocol StreamFilter: AnyObject {
    /// Takes the peer's bytes, which are lent until ``keepRest()``.
    func receive(_ bytes: Span<UInt8>)

    /// Copies those of the lent bytes that have not been used.
    func keepRest()

    /// The peer sends nothing more, with `nil` because it has finished the connection.
    func receiveEnd(_ error: UVError?)

    /// The next bytes for a reader.
    ///
    /// - Throws: What ended the stream, also when it is asked again.
    func take(upTo limit: Int) throws(UVError) -> FilteredBytes

    /// Makes of a writer's bytes what is to be sent.
    func seal(_ bytes: Span<UInt8>) throws(UVError)

    /// Makes the end of our side.
    func sealEnd()

    /// How many bytes are to be sent.
    var unsentCount: Int { get }

    /// Lends what is to be sent. The body says how many of the bytes it has taken.
    func send(_ body: (Span<UInt8>) throws(UVError) -> Int) throws(UVError)

    /// What users are told in place of an error that this filter has thrown.
    func presented(_ error: UVError) -> any Error
}

/// What a filter has for a reader.
package enum FilteredBytes {
    /// Bytes; none when the filter has just become ready to be used.
    case bytes([UInt8])
    /// The peer has said that it has finished.
    case ended
    /// Nothing, until more comes.
    case nothing
}

/// A stream's filter, with what the stream notes about it.
final class InstalledFilter {
    /// How many bytes of writers are sealed at a time: what is sealed cannot be taken back.
    static let batch = 65_536
    /// A peer that makes the filter say so much, and does not take it, is not heard until it does.
    static let mostUnsent = 65_536

    let filter: any StreamFilter
    /// What the reader that waits wants at most.
    @exclusivity(unchecked) var limit = 0
    /// Whether the stream is not read because the peer does not take the filter's answers.
    @exclusivity(unchecked) var isPaused = false
    /// How many bytes were sealed of a write that was told to wait: so many fewer are to be sealed when its rest comes. 0 or 1.
    @exclusivity(unchecked) var sealedAhead = 0

    init(_ filter: any StreamFilter) { self.filter = filter }
}
