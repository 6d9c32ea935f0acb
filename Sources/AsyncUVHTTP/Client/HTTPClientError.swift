/// Why an ``HTTPClient`` has no answer.
///
/// What the system says (refused, reset, not found) is thrown as it is: `UVError`.
public struct HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What has gone wrong, for programs.
    public enum Kind: Hashable, Sendable {
        /// The text is no URL of HTTP.
        case badURL
        /// `https` without a ``HTTPTransport/secure``.
        case noSecurity
        /// The request contradicts itself, such as a body whose length is not what was promised.
        case badRequest
        /// No other answer of the server was read or dropped in time, so that there is no connection for the request.
        case waitTimeout
        /// Connecting, securing included, has taken too long.
        case connectTimeout
        /// The server has not answered in time.
        case responseTimeout
        /// The server has stopped in the middle of its answer, or takes no more of the request.
        case bodyTimeout
        /// What the server has sent is no HTTP.
        case badResponse
        /// The server has ended the connection before the end of its answer.
        case truncated
        /// The body is longer than its limit.
        case bodyTooLong
        /// The answers lead from one place to the next, or in a circle.
        case tooManyRedirects
        /// An answer leads elsewhere, and the body of the request cannot be sent a second time.
        case bodyNotRepeatable
        /// The proxy does not let us through.
        case proxy
        /// The client was closed.
        case closed
    }

    /// What has gone wrong.
    public let kind: Kind
    /// What it was about: the URL.
    public let subject: String
    /// What exactly is wrong.
    public let reason: String

    init(_ kind: Kind, _ subject: String, _ reason: String) {
        self.kind = kind
        self.subject = subject
        self.reason = reason
    }

    /// For people: `http://example.org/: the server has not answered within 60.0 seconds`.
    ///
    /// Control characters are written as in Swift, `\u{1B}`: a URL and what a server has sent cannot begin a line in a log.
    public var description: String { "\(subject): \(reason)".withoutControls }
}

extension String {
    /// With escapes instead of control characters and of what else ends a line.
    var withoutControls: String {
        let isControl = { (scalar: Unicode.Scalar) in
            scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
        }
        guard unicodeScalars.contains(where: isControl) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            text += isControl(scalar) ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}
