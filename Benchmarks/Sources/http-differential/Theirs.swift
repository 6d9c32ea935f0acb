import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The decoder that servers of SwiftNIO have.
enum Theirs {
    static func read(_ pieces: [[UInt8]]) -> Reading {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldCount = 2_000
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        var reading = Reading()
        do {
            try channel.pipeline.syncOperations.addHandler(
                ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: limits)))
            for piece in pieces where !piece.isEmpty {
                try channel.writeInbound(ByteBuffer(bytes: piece))
            }
        } catch { reading.end = .refused("\(error)") }
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) { reading.add(part) }
        // It hands everything behind such a request to another protocol.
        if reading.end == .open, let last = reading.requests.last, last.isWhole,
            last.method == "CONNECT" || last.fields.contains(where: { $0.name == "upgrade" })
        {
            reading.end = .closed
        }
        return reading
    }
}

extension Reading {
    fileprivate mutating func add(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head): requests.append(Request(head))
        case .body(let buffer): requests[requests.count - 1].body += Array(buffer.readableBytesView)
        case .end: requests[requests.count - 1].isWhole = true
        }
    }
}

extension Reading.Request {
    fileprivate init(_ head: HTTPRequestHead) {
        method = head.method.rawValue
        target = Self.canonical(head.uri)
        host = head.headers.first(name: "host").map { Reading.Field("host", $0).value }
        fields = head.headers.filter { $0.name.lowercased() != "host" }.map { Reading.Field($0.name, $0.value) }
    }

    /// A whole URL as servers read it: its scheme in lower case, and a path.
    private static func canonical(_ target: String) -> String {
        guard let scheme = ["http", "https"].first(where: { target.lowercased().hasPrefix("\($0)://") }) else {
            return target
        }
        let rest = target.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest.dropFirst(authority.count)
        return "\(scheme)://\(authority)\(path.hasPrefix("/") ? "" : "/")\(path)"
    }
}
