internal import AsyncUV
internal import HTTPTypes
internal import UV

/// A request as it is sent to one server: a redirect makes another one.
struct ClientRequest: Sendable {
    var method: HTTPRequest.Method
    var url: HTTPURL
    var fields: HTTPFields
    var body: HTTPClientBody

    /// Whether the server is asked before the body is sent.
    var expectsContinue: Bool { !body.isEmpty && fields.hasToken("100-continue", in: .expect) }

    /// Whether it may be sent again when nobody knows whether it was carried out.
    var isRepeatable: Bool { method.isIdempotent && body.isRepeatable }

    /// What the server of another origin must not get.
    private static let credentials: [HTTPField.Name] = [.authorization, .cookie, .proxyAuthorization]
    private static let ofBody: [HTTPField.Name] = [
        .contentType, .contentEncoding, .contentLanguage, .contentLocation, .contentDisposition, .expect,
    ]

    /// What is written here, whatever the fields say.
    private static let ours: [HTTPField.Name?] = [.contentLength, .transferEncoding, .host]

    /// The first line and the fields, with the ends of the lines.
    ///
    /// - Parameter isForProxy: Whether the line names the whole URL.
    func head(isForProxy: Bool, _ configuration: HTTPClient.Configuration) -> [UInt8] {
        var bytes: [UInt8] = []
        func add(_ name: String, _ value: String) { bytes += "\(name): \(value.asFieldValue)\r\n".utf8 }
        bytes += "\(method.rawValue) \(isForProxy ? url.description : url.path) HTTP/1.1\r\n".utf8
        add("Host", HTTPField.Name.host.flatMap { fields[$0] } ?? url.authority)
        if let agent = configuration.userAgent, !fields.contains(.userAgent) { add("User-Agent", agent) }
        if !fields.contains(.accept) { add("Accept", "*/*") }
        if isForProxy, let authorization = configuration.proxy?.authorization, !fields.contains(.proxyAuthorization) {
            add("Proxy-Authorization", authorization)
        }
        for field in fields where !Self.ours.contains(field.name) {
            add(field.name.rawName, field.value)
        }
        switch body.content {
        case .bytes(let content):
            if !content.isEmpty || method.usuallyHasBody { add("Content-Length", "\(content.count)") }
        case .pieces(let length?, _): add("Content-Length", "\(length)")
        case .pieces(nil, _): add("Transfer-Encoding", "chunked")
        }
        bytes.endLine()
        return bytes
    }

    /// The request that an answer leads to.
    ///
    /// - Returns: `nil` when the answer is the end.
    func redirected(by answer: HTTPResponse) throws(HTTPClientError) -> ClientRequest? {
        guard [301, 302, 303, 307, 308].contains(answer.status.code),
            let location = answer.headerFields[.location], let target = url.resolving(location.trimmed)
        else { return nil }
        var next = self
        next.url = target
        let code = answer.status.code
        let becomesGet = code == 303 && method != .head || code <= 302 && method == .post
        if becomesGet {
            next.method = .get
            next.body = .none
            for name in Self.ofBody { next.fields[name] = nil }
        } else if !body.isRepeatable {
            throw HTTPClientError(
                .bodyNotRepeatable, url.description, "the answer leads to \(target), and the body was sent already")
        }
        if let host = HTTPField.Name.host { next.fields[host] = nil }
        if !url.hasSameOrigin(as: target) { for name in Self.credentials { next.fields[name] = nil } }
        return next
    }
}

extension HTTPRequest.Method {
    fileprivate var isIdempotent: Bool { [.get, .head, .put, .delete, .options, .trace].contains(self) }
    fileprivate var usuallyHasBody: Bool { [.post, .put, .patch].contains(self) }
}

extension String {
    /// On one line: as HTTPTypes makes spaces of what would end it.
    var asFieldValue: String { HTTPField(name: .userAgent, value: self).value }
}

extension HTTPField.Name {
    /// HTTPTypes has none, because later versions of HTTP have no such field.
    fileprivate static let host = Self("Host")
}
