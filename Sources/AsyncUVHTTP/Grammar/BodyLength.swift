/// How long the body of a message is.
enum BodyLength: Sendable, Equatable {
    case none
    /// So many bytes, 1 at least.
    case length(Int)
    case chunked
    /// Up to the end of the connection: of answers only.
    case toEnd
}

/// The version of a message. Later versions than 1.1 with the same first number count as 1.1.
enum HTTPVersion: Sendable, Equatable {
    case http10
    case http11
}
