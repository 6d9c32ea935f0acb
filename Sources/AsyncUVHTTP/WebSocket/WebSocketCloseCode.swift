/// Why a ``WebSocket`` was closed.
public struct WebSocketCloseCode: Hashable, Sendable, CustomStringConvertible {
    /// The code as it goes over the wire.
    public let rawValue: UInt16

    private init(known rawValue: UInt16) { self.rawValue = rawValue }

    /// A code that may be sent: 1000 to 1003, 1007 to 1014, and 3000 to 4999, of which those from 4000 on are for programs of
    /// one's own.
    public init?(rawValue: UInt16) {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: self.rawValue = rawValue
        default: return nil
        }
    }

    /// The purpose is fulfilled.
    public static let normal = Self(known: 1000)
    /// A server shuts down, or somebody has left a page.
    public static let goingAway = Self(known: 1001)
    /// The peer has broken the protocol.
    public static let protocolError = Self(known: 1002)
    /// A kind of message, text or binary, that is not understood.
    public static let unsupportedData = Self(known: 1003)
    /// No code was sent. As a code to close with, it sends none.
    public static let noStatus = Self(known: 1005)
    /// The connection has ended without a goodbye. As a code to close with, it sends none and does not wait for one.
    public static let abnormal = Self(known: 1006)
    /// Bytes that do not fit the kind of message: text that is not UTF-8.
    public static let invalidPayload = Self(known: 1007)
    /// What the receiver does not allow, and no other code says it.
    public static let policyViolation = Self(known: 1008)
    /// A message that is too large.
    public static let messageTooBig = Self(known: 1009)
    /// The server has not offered an extension that the client needs.
    public static let missingExtension = Self(known: 1010)
    /// Something unexpected keeps the server from going on.
    public static let internalError = Self(known: 1011)
    /// The server starts anew.
    public static let serviceRestart = Self(known: 1012)
    /// The server has too much to do.
    public static let tryAgainLater = Self(known: 1013)

    /// Whether the connection has ended as it should: the codes 1000, 1001 and 1005.
    public var isOrderly: Bool { self == .normal || self == .goingAway || self == .noStatus }

    /// For people: the number.
    public var description: String { "\(rawValue)" }
}
