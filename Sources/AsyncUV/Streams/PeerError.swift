package import UV

/// An error of a stream, of which layers above it, such as HTTP, ask whether the peer has gone. They need not know the layers below for that,
/// such as TLS.
package protocol PeerError: Error, Equatable {
    /// How the peer has gone; `nil` for an error that tells of something else.
    var departure: PeerDeparture? { get }
}

/// How a peer has gone.
package enum PeerDeparture: Sendable {
    /// The stream has ended, and more was to come.
    case cutOff
    /// The peer has ended the connection with an error.
    case reset
}

extension PeerError {
    package func isSame(as other: any Error) -> Bool { other as? Self == self }
}

extension Error {
    /// How the peer has gone, if the error tells that it has.
    package var peerDeparture: PeerDeparture? { (self as? any PeerError)?.departure }
}

extension UVError: PeerError {
    package var departure: PeerDeparture? {
        switch code {
        case .endOfFile: .cutOff
        case .connectionReset, .brokenPipe: .reset
        default: nil
        }
    }
}
