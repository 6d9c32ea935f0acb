internal import AsyncUV
package import HTTPTypes
internal import UV

/// One request of another version of HTTP, and its answer: what ``ServerConnection`` does for HTTP/1.1.
package protocol HTTPExchange: HTTPBodySource {
    var stream: any ByteStream { get }
    var peerAddress: SocketAddress? { get }
    /// The fields behind the request's body, when that has been read to its end.
    var trailers: HTTPFields { get }
    var hasBegun: Bool { get }

    func send(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ body: [UInt8]) async throws
    func send(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ file: File, _ range: Range<Int64>) async throws
    /// - Returns: Whether there is a body to write.
    func beginStream(_ status: HTTPResponse.Status, _ fields: HTTPFields, _ length: Int?) async throws -> Bool
    func write(_ bytes: [UInt8]) async throws
    /// Ends a body that has not ended.
    ///
    /// - Parameter trailers: `nil` when the closure of `stream` has ended.
    func endStream(_ trailers: HTTPFields?) async throws
    func inform(_ status: HTTPResponse.Status, _ fields: HTTPFields) async throws
    func departure() async throws -> HTTPClientDeparture
}

/// What requests and answers work on: as small as a connection alone, and HTTP/1.1 calls nothing through a protocol.
enum AnyExchange: Sendable {
    case http1(ServerConnection)
    case other(OtherExchange)
}

/// Keeps ``AnyExchange`` as small as a pointer.
final class OtherExchange: Sendable {
    let exchange: any HTTPExchange

    init(_ exchange: any HTTPExchange) { self.exchange = exchange }
}

/// Makes what a handler gets.
///
/// - Parameter length: Of the body, if it is known; 0 without a body.
package func handlerArguments(
    _ head: HTTPRequest, length: Int?, limit: Int, _ exchange: any HTTPExchange
) -> (HTTPServerRequest, HTTPServerResponse) {
    let any = AnyExchange.other(OtherExchange(exchange))
    let body = HTTPBody(source: exchange, number: 0, length: length, limit: limit)
    return (HTTPServerRequest(head, body, any), HTTPServerResponse(any, number: 0))
}

extension HTTPField {
    /// A field as it came, with its name in lower case; nothing for what is no name.
    package init?(name: Span<UInt8>, value: Span<UInt8>) {
        if name.isEmpty { return nil }
        guard let name = FieldNames.shared.name(name, 0..<name.count).name else { return nil }
        var isASCII = true
        for index in value.indices where value[index] >= 0x80 { isASCII = false }
        if isASCII {
            self.init(name: name, value: String(copying: value))
        } else {
            self.init(name: name, value: [UInt8](copying: value))
        }
    }
}

extension HTTPServer {
    package func noteOtherConnection() { noteConnection() }
    package func noteOtherRequest() { noteRequest() }
    package func noteOtherRefusal() { noteRefusal() }
    package func noteOtherTimeout() { noteTimeout() }
    package func noteOtherDisplaced() { noteDisplaced() }
    /// How long the client may take for so many bytes.
    package func timeAllowed(for bytes: Int) -> Duration { time(for: bytes) }
}
