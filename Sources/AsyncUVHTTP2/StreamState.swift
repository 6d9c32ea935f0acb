internal import AsyncUV
internal import AsyncUVHTTP
internal import HTTPTypes

/// One request and its answer. Under the lock of the connection.
final class StreamState {
    enum Answer { case none, begun, ended }

    // The request's head.
    var method: String?
    var scheme: String?
    var authority: String?
    var path: String?
    var fields = HTTPFields()
    var trailers = HTTPFields()
    /// As many bytes as HTTP/1.1 would have sent, of the head or of the fields behind the body.
    var headSize = 0
    var fieldCount = 0
    var isBehindBody = false
    var refusal: HTTPRefusal?

    // The request's body.
    var length: Int?
    var input: [UInt8] = []
    var inputHasEnded = false
    var taken = 0
    var waited = Duration.zero
    var expectsContinue = false
    var isRead = false

    // The answer.
    var answer = Answer.none
    var promised: Int?
    var written = 0
    var hasFailed = false
    var output: [UInt8] = []
    var outputTaken = 0
    var outputHasEnded = false
    var outputTrailers: FieldList?
    /// Whether nghttp2 has all of the answer.
    var isSent = false

    // Its life.
    var isRunning = false
    var isClosed = false
    /// The client has given the request up, or is lost.
    var isReset = false

    // Who waits: for the body, for the client to take the answer, for the client to go.
    var reader: AsyncSemaphore?
    var writer: AsyncSemaphore?
    var watcher: AsyncSemaphore?

    var outputIsEmpty: Bool { outputTaken == output.count }
}

extension StreamState {
    /// - Parameter size: Of a field, as HTTP/1.1 would have sent it.
    func take(_ name: Span<UInt8>, _ value: Span<UInt8>, _ limits: HTTPLimits) {
        headSize += name.count + value.count + 4
        fieldCount += 1
        if refusal != nil { return }
        if headSize > limits.head {
            return refuse(.requestHeaderFieldsTooLarge, "the head is too long")
        }
        if name[0] == UInt8(ascii: ":") { return takePseudo(name, value, limits) }
        if fieldCount > min(limits.fieldCount, 65_000) + 4 {
            return refuse(.requestHeaderFieldsTooLarge, "there are too many header fields")
        }
        guard let field = HTTPField(name: name, value: value) else {
            return refuse(.badRequest, "a header field has no proper name")
        }
        if isBehindBody { return trailers.append(field) }
        fields.append(field)
    }

    private func refuse(_ status: HTTPResponse.Status, _ reason: String) {
        refusal = HTTPRefusal(status, reason)
        fields = [:]
        trailers = [:]
    }

    private func takePseudo(_ name: Span<UInt8>, _ value: Span<UInt8>, _ limits: HTTPLimits) {
        let text = String(copying: value)
        // nghttp2 lets each of them through once, and no others.
        switch (name.count, name[1]) {
        case (5, UInt8(ascii: "p")):
            if value.count > limits.line { return refuse(.uriTooLong, "the path is too long") }
            path = text
        case (7, UInt8(ascii: "m")): method = text
        case (7, UInt8(ascii: "s")): scheme = text
        case (10, UInt8(ascii: "a")): authority = text
        default: break
        }
    }

    /// The head is whole.
    func finishHead() {
        expectsContinue = fields[.expect]?.lowercased() == "100-continue"
        length = inputHasEnded ? 0 : fields[.contentLength].flatMap { Int($0) }
        if authority == nil { authority = fields[values: Self.host].first }
        fields[Self.host] = nil
    }

    private static let host = HTTPField.Name("host") ?? .from

    /// - Returns: Nothing for a method that is no word.
    var request: HTTPRequest? {
        let method: HTTPRequest.Method? =
            switch self.method {
            case "GET": .get
            case "HEAD": .head
            case "POST": .post
            case let name: name.flatMap { HTTPRequest.Method($0) }
            }
        return method.map {
            HTTPRequest(method: $0, scheme: scheme, authority: authority, path: path, headerFields: fields)
        }
    }

    /// Those who wait for anything.
    func takeWaiters() -> [AsyncSemaphore] {
        defer { (reader, writer, watcher) = (nil, nil, nil) }
        return [reader, writer, watcher].compactMap { $0 }
    }
}
