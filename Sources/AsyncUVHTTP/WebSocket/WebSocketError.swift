/// Why a ``WebSocket`` cannot go on.
public struct WebSocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What has gone wrong, for programs.
    public enum Kind: Hashable, Sendable {
        /// The other side has not agreed to talk WebSocket.
        case refused
        /// The peer has broken the protocol; it was told so with code 1002.
        case protocolViolation
        /// The peer has sent text that is not UTF-8; it was told so with code 1007.
        case invalidText
        /// The peer has sent more than ``WebSocketLimits`` allow; it was told so with code 1009.
        case tooLarge
        /// The peer has closed with a code that tells of a failure, or something was sent after the end.
        case closed
        /// The connection has ended without a goodbye.
        case truncated
        /// The peer has not answered in time.
        case unanswered
    }

    /// What has gone wrong.
    public let kind: Kind
    /// The code that was sent or came.
    public let closeCode: WebSocketCloseCode
    /// What exactly is wrong; for ``Kind/closed`` what the peer has given as its reason.
    public let reason: String

    init(_ kind: Kind, _ closeCode: WebSocketCloseCode, _ reason: String) {
        self.kind = kind
        self.closeCode = closeCode
        self.reason = reason
    }

    static func violation(_ reason: String) -> Self { Self(.protocolViolation, .protocolError, reason) }
    static func refused(_ reason: String) -> Self { Self(.refused, .abnormal, reason) }

    /// For people: `the WebSocket peer broke the protocol (1002): a frame that is not masked`.
    public var description: String {
        if kind == .refused { return "no WebSocket: \(reason.withoutControls)" }
        let what =
            switch kind {
            case .refused: "no WebSocket"
            case .protocolViolation: "the WebSocket peer broke the protocol"
            case .invalidText: "the WebSocket peer sent text that is not UTF-8"
            case .tooLarge: "the WebSocket peer sent too much"
            case .closed: "the WebSocket is closed"
            case .truncated: "the WebSocket ended without a goodbye"
            case .unanswered: "the WebSocket peer does not answer"
            }
        return "\(what) (\(closeCode))" + (reason.isEmpty ? "" : ": \(reason.withoutControls)")
    }
}
