internal import CPlatform
public import SystemPackage

/// The process at the other end of a local socket, as the kernel noted it when the connection was made: the peer cannot forge it.
///
/// For a client that is the process that called `listen`; for a socket pair the process that made the pair.
public struct PeerCredentials: Hashable, Sendable {
    /// The number of the process, which may have ended meanwhile; 0 where the system does not tell, or the process belongs to
    /// another container.
    public let processID: Int32
    /// The effective user.
    public let user: UInt32
    /// The effective group.
    public let group: UInt32

    /// Asks for the peer of a connected local socket.
    ///
    /// - Throws: ``UVError`` with `.notSocket`, `.socketNotConnected` for a socket without a peer, also one of another kind.
    public init(ofPeerOf socket: FileDescriptor) throws(UVError) {
        var found = cplatform_credentials()
        try checkSystem(
            unsafe cplatform_peer_credentials(socket.rawValue, &found), "peerCredentials",
            of: "descriptor \(socket.rawValue)")
        processID = found.process
        user = found.user
        group = found.group
    }
}

extension PeerCredentials: CustomStringConvertible {
    /// For people: `process 4711 of user 1000`.
    public var description: String { "process \(processID) of user \(user)" }
}
