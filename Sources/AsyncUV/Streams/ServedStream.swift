/// A stream that a server can serve: its waits can end by a time limit and because the server drains. Protocols that are layered over
/// streams need nothing more. TCP and local connections are such streams; a stream that is layered over one of them may be, too.
public protocol ServedStream: ByteStream {
    /// Takes what is there, or what comes in time: as ``StreamConnection/read(upTo:timeout:untilDraining:)``.
    func read(upTo limit: Int, timeout: Duration?, untilDraining: Bool) async throws -> [UInt8]?

    /// Writes all of the bytes if the peer takes them in time: as ``StreamConnection/write(contentsOf:timeout:)``.
    func write(contentsOf chunks: [[UInt8]], timeout: Duration?) async throws

    /// Whether the connection should end after what is under way: as ``StreamConnection/isDraining``.
    var isDraining: Bool { get async throws }
}

extension TCPConnection: ServedStream {}
extension LocalConnection: ServedStream {}
