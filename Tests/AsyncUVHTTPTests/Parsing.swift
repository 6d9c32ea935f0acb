import HTTPTypes

@testable import AsyncUVHTTP

/// Takes requests with their bodies from bytes that arrive in pieces.
struct Requests: Equatable {
    private(set) var heads: [ParsedRequest] = []
    private(set) var bodies: [[UInt8]] = []
    private(set) var trailers: [HTTPFields] = []
    private(set) var refusal: HTTPRefusal?
    private var parser: RequestParser
    private var body: BodyReader?

    init(limits: HTTPLimits = HTTPLimits()) { parser = RequestParser(limits: limits) }

    /// The requests of some pieces.
    init(_ pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) {
        self.init(limits: limits)
        for piece in pieces { take(Array(piece)) }
    }

    init(_ text: String, limits: HTTPLimits = HTTPLimits()) { self.init([Array(text.utf8)[...]], limits: limits) }

    var texts: [String] { bodies.map { String(decoding: $0, as: UTF8.self) } }

    var isBetweenRequests: Bool { parser.isBetweenRequests && body == nil }

    /// Takes a piece; after a refusal nothing.
    mutating func take(_ bytes: [UInt8]) {
        parser.input.append(bytes)
        do { try advance() } catch { refusal = error }
    }

    private mutating func advance() throws(HTTPRefusal) {
        while true {
            if body == nil {
                guard let head = try parser.next() else { return }
                heads.append(head)
                bodies.append([])
                trailers.append([:])
                body = BodyReader(head.body, limits: parser.limits)
            }
            switch try body?.next(&parser.input) {
            case .bytes(let bytes): bodies[bodies.count - 1] += bytes
            case .end:
                trailers[trailers.count - 1] = body?.trailers ?? [:]
                body = nil
            case .needsMore, nil: return
            }
        }
    }

    static func == (one: Self, other: Self) -> Bool {
        one.heads == other.heads && one.bodies == other.bodies && one.trailers == other.trailers
            && one.refusal == other.refusal && one.isBetweenRequests == other.isBetweenRequests
    }
}

/// All requests of a text, which must not be refused.
func parse(_ text: String) throws(HTTPRefusal) -> [ParsedRequest] {
    let requests = Requests(text)
    if let refusal = requests.refusal { throw refusal }
    return requests.heads
}

/// What the parser says against a text, if anything.
func refusal(of text: String) -> HTTPRefusal? { Requests(text).refusal }
