internal import HTTPTypes
internal import UV

/// The head of an answer, and what it says about the connection and the body.
struct ParsedResponse: Sendable, Equatable {
    var head: HTTPResponse
    var version: HTTPVersion
    /// Of an answer to a request other than HEAD and CONNECT.
    var body: BodyLength
    /// Whether another request may follow. Never after a body that goes up to the end.
    var keepsConnection: Bool
}

/// Finds the heads of answers in the bytes of a connection, however they are cut into pieces.
///
/// After a head the body is to be read from ``input`` by a ``BodyReader``. A refusal's status means nothing: its reason says what is wrong.
struct ResponseParser: Sendable {
    private struct Partial: Sendable {
        var status: HTTPResponse.Status
        var version: HTTPVersion
        var fields = FieldReader()
    }

    let limits: HTTPLimits
    var input = ByteInput()
    private var partial: Partial?
    private var room: Int
    private var refusal: HTTPRefusal?

    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        room = limits.head
    }

    /// Whether no byte of a next answer has come.
    var isBetweenResponses: Bool { input.isEmpty && partial == nil && refusal == nil }

    /// The next head, which may be an interim one (1xx); nothing while more bytes are needed.
    ///
    /// - Parameter method: Of the request: it decides whether there is a body.
    mutating func next(for method: HTTPRequest.Method) throws(HTTPRefusal) -> ParsedResponse? {
        if let refusal { throw refusal }
        if input.isEmpty { return nil }
        do { return try advance(method) } catch {
            refusal = error
            input.clear()
            throw error
        }
    }

    private mutating func advance(_ method: HTTPRequest.Method) throws(HTTPRefusal) -> ParsedResponse? {
        var position = input.taken
        var head: Partial
        if let partial {
            head = partial
            self.partial = nil
        } else {
            guard let end = input.endOfLine(from: position) else {
                if input.count - 1 > limits.line { throw Self.tooLong }
                input.noteSearched()
                return nil
            }
            if end - position - 1 > limits.line { throw Self.tooLong }
            head = try Self.statusLine(input.bytes.span, position..<end)
            room -= end + 1 - position
            position = end + 1
        }
        let isComplete = try head.fields.read(
            input, from: &position, room: &room, fieldCount: limits.fieldCountThatCanBe)
        input.take(to: position)
        if !isComplete {
            input.noteSearched()
            partial = head
            return nil
        }
        room = limits.head
        return try finished(head, method)
    }

    private static let tooLong = HTTPRefusal(.badGateway, "the status line is too long")

    /// - Parameter line: Up to the LF.
    private static func statusLine(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) -> Partial {
        guard let last = line.last, bytes[last] == .carriageReturn else {
            throw HTTPRefusal(.badGateway, "the status line does not end in CR LF")
        }
        let text = [UInt8](copying: bytes.extracting(line.lowerBound..<last))
        // The space before the reason is often left out with the reason.
        guard text.count >= 12, text.starts(with: "HTTP/".utf8), text[5].isDigit, text[6] == UInt8(ascii: "."),
            text[7].isDigit, text[8] == .space, text[9..<12].allSatisfy(\.isDigit), text[9] != UInt8(ascii: "0"),
            text.count == 12 || text[12] == .space
        else { throw HTTPRefusal(.badGateway, "the answer does not begin with a version and a status") }
        guard text[5] == UInt8(ascii: "1") else {
            throw HTTPRefusal(.badGateway, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        let reason = text.dropFirst(13)
        guard reason.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == .tab }) else {
            throw HTTPRefusal(.badGateway, "the status line has control characters")
        }
        let code = text[9..<12].reduce(0) { $0 * 10 + Int($1) - 0x30 }
        let status = HTTPResponse.Status(code: code, reasonPhrase: String(decoding: reason, as: UTF8.self))
        return Partial(status: status, version: text[7] == UInt8(ascii: "0") ? .http10 : .http11)
    }

    private func finished(_ head: Partial, _ method: HTTPRequest.Method) throws(HTTPRefusal) -> ParsedResponse {
        let framing = head.fields.framing
        let code = head.status.code
        let body: BodyLength =
            if method == .head || code < 200 || code == 204 || code == 304
                || method == .connect && code < 300
            { .none } else { try framing.bodyLength(head.version) ?? .toEnd }
        return ParsedResponse(
            head: HTTPResponse(status: head.status, headerFields: head.fields.fields), version: head.version,
            body: body, keepsConnection: framing.keepsConnection(head.version) && body != .toEnd)
    }
}
