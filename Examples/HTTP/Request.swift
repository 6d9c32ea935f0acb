public import HTTPTypes

/// The head of a request, and what follows it.
public struct Request: Sendable, Equatable {
    public enum Version: Sendable { case http10, http11 }

    public enum Body: Sendable, Equatable {
        case none
        /// So many bytes. The parser drops them.
        case length(Int)
        /// Chunks up to the end of the connection, as far as this server is concerned: it does not read them.
        case chunked
    }

    /// Method, fields, and the path as the client has encoded it.
    public var head: HTTPRequest
    public var version: Version
    public var body: Body
    /// Whether the client may send another request after the answer to this one.
    public var keepsConnection: Bool
}
