/// What a handler did wrong. The client gets 500 if it has got nothing yet, and the connection ends, or its stream with HTTP/2.
public enum HTTPServerError: Error, Hashable, CustomStringConvertible {
    /// A handler has ended without an answer.
    case noAnswer
    /// An answer has begun, and a part of it failed or is missing.
    case unfinished
    /// A request was answered twice, or informed about after its answer.
    case alreadyAnswered
    /// The request or the answer was used after the handler had ended, or after the connection was handed over.
    case isOver
    /// More or fewer bytes were written than promised.
    case wrongLength(promised: Int, written: Int)
    /// The status is none that this kind of answer may have: informational ones are sent with ``HTTPServerResponse/inform(_:_:)``.
    case wrongStatus(Int)
    /// The connection was to be handed over while a body was still to come.
    case bodyUnread
    /// The client has gone before it got an answer: see ``HTTPServerRequest/untilClientGone(orFinished:_:)``.
    case clientGone

    /// For people.
    public var description: String {
        switch self {
        case .noAnswer: "a handler has ended without an answer"
        case .unfinished: "an answer has begun and was not finished"
        case .alreadyAnswered: "a request was answered twice"
        case .isOver: "a request was used after its handler had ended"
        case .wrongLength(let promised, let written):
            "an answer of \(promised) bytes was promised, and \(written) bytes were written"
        case .wrongStatus(let code): "status \(code) cannot be sent in this way"
        case .clientGone: "the client has gone"
        case .bodyUnread: "a connection was to be handed over before the request's body was read"
        }
    }
}
