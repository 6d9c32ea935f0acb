internal import HTTPTypes

/// The head of a request, and what it says about the connection and the body.
struct ParsedRequest: Sendable, Equatable {
    /// Method, fields, and the path as the client has encoded it.
    var head: HTTPRequest
    var version: HTTPVersion
    var body: BodyLength
    /// Whether the client may send another request after the answer to this one.
    var keepsConnection: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    var expectsContinue: Bool
}

/// Finds the heads of requests in the bytes of a connection, however they are cut into pieces.
///
/// After a head the body is to be read from ``input`` by a ``BodyReader``. After a refusal nobody knows where the next request
/// begins: the connection has to be closed.
struct RequestParser: Sendable {
    /// What is known of a head that has not come as a whole.
    private struct Partial: Sendable {
        var line: RequestLine
        var fields = FieldReader()
    }

    let limits: HTTPLimits
    var input = ByteInput()
    private var partial: Partial?
    /// How many bytes the head may still have.
    private var room: Int
    private var hasSkippedLine = false
    private var refusal: HTTPRefusal?

    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        room = limits.head
    }

    /// Whether no byte of a next request has come; an empty line is none.
    var isBetweenRequests: Bool { input.isEmpty && partial == nil && refusal == nil }

    /// The next head; nothing while more bytes are needed.
    mutating func next() throws(HTTPRefusal) -> ParsedRequest? {
        if input.isEmpty, refusal == nil { return nil }
        do { return try advance() } catch {
            refusal = error
            input.clear()
            throw error
        }
    }

    private mutating func advance() throws(HTTPRefusal) -> ParsedRequest? {
        if let refusal { throw refusal }
        var position = input.taken
        var head: Partial
        if let partial {
            head = partial
            self.partial = nil
        } else {
            // Some old clients send one empty line too many after a body.
            if !hasSkippedLine, input.count >= 2, input.bytes[position] == .carriageReturn,
                input.bytes[position + 1] == .lineFeed
            {
                hasSkippedLine = true
                position += 2
                room -= 2
                input.take(to: position)
                if input.isEmpty { return nil }
                position = input.taken
            }
            let start = position
            guard let line = try RequestLine.read(input, from: &position, limit: limits.line) else {
                input.noteSearched()
                return nil
            }
            room -= position - start
            head = Partial(line: line)
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
        hasSkippedLine = false
        return try head.line.finished(head.fields)
    }
}
