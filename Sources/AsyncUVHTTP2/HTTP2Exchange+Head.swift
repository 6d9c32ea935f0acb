internal import AsyncUVHTTP
internal import HTTPTypes

/// The head of the answer.
extension HTTP2Exchange {
    /// - Parameter length: Of the body, if it is known.
    func begin(
        _ stream: StreamState, _ status: HTTPResponse.Status, _ fields: HTTPFields, length: Int?
    ) throws -> (fields: FieldList, hasBody: Bool) {
        guard stream.answer == .none else { throw HTTPServerError.alreadyAnswered }
        let code = status.code
        guard code >= 200, code < 600 else { throw HTTPServerError.wrongStatus(code) }
        let isHead = stream.method == "HEAD"
        let canHaveBody = code != 204 && code != 304 && !(stream.method == "CONNECT" && code < 300)
        var list = FieldList()
        list.add(":status", "\(code)")
        var hasDate = false, told: Int?
        for field in fields where !field.isOfConnection {
            if field.name == .contentLength {
                told = Int(field.value)
                continue
            }
            if field.name == .date { hasDate = true }
            list.add(field)
        }
        // The length of the answer to a HEAD is that of a GET, if it is known.
        let shown = canHaveBody ? (isHead ? told ?? length : length ?? told) : code == 304 ? told : nil
        if let shown { list.add("content-length", "\(max(0, shown))") }
        if !hasDate { list.add("date", HTTPDate.present) }
        try list.check("send")
        return (list, canHaveBody && !isHead)
    }
}

extension FieldList {
    mutating func add(_ field: HTTPField) { add(field.name.canonicalName, field.value) }
}

extension HTTPField {
    /// Whether it says something about a connection of HTTP/1.1: HTTP/2 forbids those.
    var isOfConnection: Bool {
        switch name.canonicalName {
        case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": true
        default: false
        }
    }
}
