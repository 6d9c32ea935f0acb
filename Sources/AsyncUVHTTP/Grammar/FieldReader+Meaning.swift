internal import HTTPTypes

extension FieldReader.Framing {
    /// Whether the connection can have another message after this one.
    func keepsConnection(_ version: HTTPVersion) -> Bool {
        !options.contains(.close) && (version == .http11 || options.contains(.keepAlive))
    }

    /// Whether a field says something about the message or the connection.
    var isAboutMessage: Bool { lengthCount > 0 || hostCount > 0 || options != [] }

    /// How long the body is, by the fields alone; nothing when they do not say.
    func bodyLength(_ version: HTTPVersion) throws(HTTPRefusal) -> BodyLength? {
        if !options.isDisjoint(with: [.chunked, .otherCoding]) {
            // A length beside it is the classic way to hide a message inside of another.
            guard lengthCount == 0, version == .http11 else {
                throw HTTPRefusal(.badRequest, "the length of the body is said in two ways")
            }
            if options.contains(.otherCoding) {
                throw HTTPRefusal(.notImplemented, "the only transfer coding is chunked")
            }
            return .chunked
        }
        if lengthCount == 0 { return nil }
        guard lengthCount == 1 else { throw HTTPRefusal(.badRequest, "the length of the body is not one number") }
        guard let length else { throw HTTPRefusal(.contentTooLarge, "nobody has room for the body") }
        return length == 0 ? BodyLength.none : .length(length)
    }
}
