public import HTTPTypes

/// Why a message is not taken: the status of the answer, and a sentence for it.
///
/// A handler may throw it: the client gets the status, and the sentence as text.
public struct HTTPRefusal: Error, Hashable, CustomStringConvertible {
    /// The status of the answer.
    public let status: HTTPResponse.Status
    /// Shown to the client.
    public let reason: String

    /// A refusal with this status, and a sentence that the client gets to read.
    public init(_ status: HTTPResponse.Status, _ reason: String) {
        self.status = status
        self.reason = reason
    }

    /// For people: `400 Bad Request: a header field is folded`.
    public var description: String { "\(status): \(reason)" }
}
