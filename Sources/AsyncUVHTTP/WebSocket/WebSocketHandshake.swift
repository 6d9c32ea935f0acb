public import HTTPTypes

/// How two sides that talk HTTP/1.1 agree to talk WebSocket.
public enum WebSocketHandshake {
    /// What a server sends back to prove that it has understood a client's key.
    public static func acceptance(of key: String) -> String {
        Base64.text(of: SHA1.digest(of: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }

    // MARK: The client

    /// The request that asks for a WebSocket, with a new key in its field `Sec-WebSocket-Key`.
    ///
    /// - Parameter subprotocols: What the client can talk, what it likes best first.
    public static func request(
        scheme: String = "http", authority: String, path: String, subprotocols: [String] = [], fields: HTTPFields = [:]
    ) -> HTTPRequest {
        var generator = SystemRandomNumberGenerator()
        let key = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var request = HTTPRequest(
            method: .get, scheme: scheme, authority: authority, path: path, headerFields: fields)
        request.headerFields[.connection] = "Upgrade"
        request.headerFields[.upgrade] = "websocket"
        request.headerFields[.secWebSocketKey] = Base64.text(of: key)
        request.headerFields[.secWebSocketVersion] = "13"
        if !subprotocols.isEmpty {
            request.headerFields[.secWebSocketProtocol] = subprotocols.joined(separator: ", ")
        }
        return request
    }

    /// Looks whether a server has agreed.
    ///
    /// - Returns: The subprotocol that it has chosen.
    /// - Throws: ``WebSocketError`` with `.refused`.
    public static func check(_ response: HTTPResponse, to request: HTTPRequest) throws(WebSocketError) -> String? {
        let fields = response.headerFields
        guard response.status == .switchingProtocols else { throw .refused("the server answered \(response.status)") }
        guard fields.hasToken("websocket", in: .upgrade), fields.hasToken("upgrade", in: .connection) else {
            throw .refused("the server switched to something else")
        }
        guard let key = request.headerFields[.secWebSocketKey],
            fields[.secWebSocketAccept]?.trimmed == acceptance(of: key)
        else { throw .refused("the server's Sec-WebSocket-Accept does not fit the key") }
        if let extensions = fields[.secWebSocketExtensions], !extensions.trimmed.isEmpty {
            throw .refused("the server chose the extension \(extensions), which was not offered")
        }
        guard let chosen = fields[.secWebSocketProtocol] else { return nil }
        guard request.headerFields.tokens(in: .secWebSocketProtocol).contains(chosen) else {
            throw .refused("the server chose the subprotocol \(chosen), which was not offered")
        }
        return chosen
    }

    // MARK: The server

    /// Answers a client: with status 101 if it asks for a WebSocket as it should, otherwise with what is wrong.
    ///
    /// - Parameter subprotocols: What the server can talk. The client's first one that is among them is chosen; none if there is
    ///   none, then the client may leave.
    /// - Parameter origins: The pages that browsers may come from, such as `https://example.org`; `nil` for all. Who is known by a
    ///   cookie should say it, because browsers send cookies from every page. Clients that are no browsers send no origin and come in.
    /// - Returns: A response without a body: status 101, 400, 403, 405, or 426.
    public static func response(
        to request: HTTPRequest, subprotocols: [String] = [], origins: Set<String>? = nil
    ) -> HTTPResponse {
        let fields = request.headerFields
        guard request.method == .get else {
            return HTTPResponse(status: .methodNotAllowed, headerFields: [.allow: "GET"])
        }
        guard fields.hasToken("websocket", in: .upgrade), fields.hasToken("upgrade", in: .connection) else {
            return HTTPResponse(
                status: .upgradeRequired, headerFields: [.connection: "Upgrade", .upgrade: "websocket"])
        }
        guard fields[.secWebSocketVersion]?.trimmed == "13" else {
            return HTTPResponse(status: .upgradeRequired, headerFields: [.secWebSocketVersion: "13"])
        }
        guard let key = fields[.secWebSocketKey]?.trimmed, Base64.byteCount(of: key) == 16 else {
            return HTTPResponse(status: .badRequest)
        }
        if let origins, let origin = fields[.origin], !origins.contains(origin) {
            return HTTPResponse(status: .forbidden)
        }
        var response = HTTPResponse(
            status: .switchingProtocols,
            headerFields: [
                .connection: "Upgrade", .upgrade: "websocket", .secWebSocketAccept: acceptance(of: key),
            ])
        if let chosen = fields.tokens(in: .secWebSocketProtocol).first(where: subprotocols.contains) {
            response.headerFields[.secWebSocketProtocol] = chosen
        }
        return response
    }
}

extension HTTPFields {
    /// The elements of a list in one field or in several of the name.
    func tokens(in name: HTTPField.Name) -> [String] {
        self[values: name].flatMap { $0.split(separator: ",") }.map { String($0).trimmed }.filter { !$0.isEmpty }
    }

    /// Whether a list has an element, in letters of any size.
    func hasToken(_ token: String, in name: HTTPField.Name) -> Bool {
        tokens(in: name).contains { $0.lowercased() == token }
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    var trimmed: String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
