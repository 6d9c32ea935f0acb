public import HTTPTypes

/// Why a message is not taken: the status of the answer, and a sentence for it.
///
/// A handler may throw it: the client gets the status, the fields, and the sentence as text.
///
/// ```swift
/// throw HTTPRefusal(.methodNotAllowed, "only GET and HEAD", fields: [.allow: "GET, HEAD"])
/// ```
public struct HTTPRefusal: Error, Hashable, CustomStringConvertible {
    /// The status of the answer.
    public let status: HTTPResponse.Status
    /// Shown to the client.
    public let reason: String
    /// Fields of the answer, such as `Allow`, `Retry-After` or `WWW-Authenticate`.
    public let fields: HTTPFields

    /// A refusal with this status, and a sentence that the client gets to read.
    ///
    /// - Parameter fields: More of the answer's fields. `Content-Length` and the like are the server's to say: see
    ///   ``HTTPServerResponse``.
    public init(_ status: HTTPResponse.Status, _ reason: String, fields: HTTPFields = [:]) {
        self.status = status
        self.reason = reason
        self.fields = fields
    }

    /// What the client gets. A status that refuses nothing is a fault of the program's.
    package var answer: (status: HTTPResponse.Status, fields: HTTPFields, body: [UInt8]) {
        let kind = status.kind
        let isRefusal = kind == .clientError || kind == .serverError || kind == .redirection
        var fields = fields
        if fields[.contentType] == nil { fields[.contentType] = "text/plain; charset=utf-8" }
        return (isRefusal ? status : 500, fields, Array("\(self)\n".utf8))
    }

    /// For people: `400 Bad Request: a header field is folded`.
    public var description: String { "\(status): \(reason)" }
}
