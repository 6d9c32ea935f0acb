#if DEBUG
import ExampleRESP
import Glibc
import HTTPTypes
import SystemPackage

@testable import AsyncUVHTTP
@testable import UV

/// What is given bytes that somebody made up. Each must neither trap nor depend on how the bytes are cut.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case address, url, request, response, websocket, resp, environment, names, tls

    /// What is not as it has to be.
    public struct Finding: Error, CustomStringConvertible {
        public let description: String
    }

    public func run(_ bytes: [UInt8]) throws(Finding) {
        switch self {
        case .address: try Self.address(String(decoding: bytes, as: UTF8.self), bytes)
        case .url: try Self.url(String(decoding: bytes, as: UTF8.self))
        case .request: try Self.compareCuts(bytes) { Self.messages($0, RequestParser()) }
        case .response: try Self.compareCuts(bytes) { Self.messages($0, ResponseParser()) }
        case .websocket:
            for role in [WebSocketRole.client, .server] { try Self.compareCuts(bytes) { Self.frames($0, role) } }
        case .resp: try Self.commands(bytes)
        case .environment: try Self.environment(String(decoding: bytes, as: UTF8.self))
        case .names: try Self.names(bytes)
        case .tls: try Self.tls(bytes)
        }
    }

    private static func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws(Finding) {
        if !condition { throw Finding(description: what()) }
    }

    /// The first byte says where the others are cut.
    private static func compareCuts(_ bytes: [UInt8], _ parse: ([[UInt8]]) -> [String]) throws(Finding) {
        guard let first = bytes.first, bytes.count < 20_000 else { return }
        let rest = Array(bytes.dropFirst())
        let size = Int(first) % 16 + 1
        let pieces = stride(from: 0, to: rest.count, by: size).map { Array(rest[$0..<min($0 + size, rest.count)]) }
        let (whole, cut) = (parse([rest]), parse(pieces))
        try expect(whole == cut, "whole: \(whole)\nin pieces of \(size): \(cut)")
    }

    // MARK: Addresses

    private static func address(_ text: String, _ bytes: [UInt8]) throws(Finding) {
        if let address = SocketAddress(text) {
            try expect(SocketAddress(address.description) == address, "\(text) is \(address), which is another one")
        }
        if let address = try? SocketAddress(host: text, port: 80) {
            try expect(SocketAddress(address.description) == address, "\(text) is \(address), which is another one")
        }
        if (try? HostName.check(text)) != nil {
            try expect(!text.isEmpty && text.utf8.count <= 253, "\(text) is no name")
        }
        if let address = try? LocalAddress(abstract: bytes) {
            try expect(address.abstractName == bytes, "the abstract name \(bytes) is another one")
            _ = address.description
        }
        // A FilePath has neither a slash at its end nor two in a row.
        let path = FilePath(text)
        if let address = try? LocalAddress(path: path) { try expect(address.path == path, "\(text) is \(address)") }
    }

    private static func url(_ text: String) throws(Finding) {
        guard let url = HTTPURL(text) else { return }
        guard let again = HTTPURL(url.description) else { return try expect(false, "\(text) is \(url), which is none") }
        try expect(again == url, "\(text) is \(url), which is \(again)")
    }

    // MARK: HTTP

    /// The messages in some bytes, with their bodies, as a parser finds them piece by piece.
    private static func messages(_ pieces: [[UInt8]], _ parser: some MessageParser) -> [String] {
        var found: [String] = []
        var parser = parser
        var body: BodyReader?
        var bytes: [UInt8] = []
        do throws(HTTPRefusal) {
            for piece in pieces {
                parser.input.append(piece)
                while true {
                    if body != nil {
                        let next = try body?.next(&parser.input)
                        if case .bytes(let more) = next { bytes += more }
                        if next == .needsMore { break }
                        if next == .end {
                            found.append("\(bytes) \(body?.trailers as HTTPFields?)")
                            body = nil
                        }
                        continue
                    }
                    guard let (head, length) = try parser.nextHead() else { break }
                    found.append(head)
                    bytes = []
                    body = BodyReader(length, limits: HTTPLimits())
                }
            }
            if body != nil { found.append("\(bytes)") }
        } catch { found.append("refused: \(error.reason)") }
        return found
    }

    private static func frames(_ pieces: [[UInt8]], _ role: WebSocketRole) -> [String] {
        var found: [String] = []
        var decoder = WebSocketDecoder(role, WebSocketLimits(message: 4_096))
        do throws(WebSocketError) {
            for piece in pieces {
                decoder.append(piece)
                while let event = try decoder.next() { found.append("\(event)") }
            }
        } catch { found.append("refused: \(error)") }
        return found
    }

    // MARK: RESP

    private static func commands(_ bytes: [UInt8]) throws(Finding) {
        var parser = CommandParser()
        var position = 0
        while position < bytes.count {
            guard let end = try? parser.parse(bytes.span, from: position) else { return }
            try expect(end > position && end <= bytes.count, "a command of \(position)..<\(end)")
            for argument in parser.arguments {
                try expect(position <= argument.lowerBound && argument.upperBound <= end, "an argument of \(argument)")
            }
            // Less than all of it is no command, and no error.
            let part = Array(bytes[position..<end - 1])
            var other = CommandParser()
            let found: Result<Int?, ProtocolError>
            do throws(ProtocolError) { found = .success(try other.parse(part.span, from: 0)) } catch {
                found = .failure(error)
            }
            try expect(found == .success(nil), "a part of a command is \(found)")
            position = end
        }
    }

    // MARK: Texts

    private static func environment(_ text: String) throws(Finding) {
        let parts = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let count = parts.first, names = parts.count > 1 ? parts[1] : nil
        if let found = try? ServiceManager.socketNames(process: "\(getpid())", count: count, names: names) {
            try expect(found.count == Int(count ?? "0"), "\(found.count) sockets of \(count ?? "")")
        }
        _ = try? ServiceManager.socketNames(process: text, count: count, names: names)
        if let limit = StallWatchdog.limit(text) { try expect(limit >= .milliseconds(1), "\(text) is \(limit)") }
    }

    /// Names of files, as the system has them: any bytes.
    private static func names(_ bytes: [UInt8]) throws(Finding) {
        let name = bytes.prefix(255).filter { $0 != 0 && $0 != UInt8(ascii: "/") }
        guard !name.isEmpty, name != [46], name != [46, 46] else { return }
        let folder = FilePath("/tmp/swift-uv-fuzz-\(getpid())")
        _ = try? FileOperation<Void>.makeDirectory(folder).run()
        defer { _ = try? FileOperation<Void>.removeDirectory(folder).run() }
        let number = name.map { CChar(bitPattern: $0) } + [0]
        let path = folder.appending(FilePath(platformString: number).components)
        guard (try? FileOperation<Void>.makeDirectory(path).run()) != nil else { return }
        defer { _ = try? FileOperation<Void>.removeDirectory(path).run() }
        let found = try? FileOperation<[DirectoryEntry]>.entries(of: folder).run()
        try expect(
            found?.contains { path.lastComponent == $0.name && $0.kind == .directory } == true,
            "\(name) is not found: \(found ?? [])")
        let real = try? FileOperation<FilePath>.realPath(of: path).run()
        try expect(real?.lastComponent == path.lastComponent, "\(name)")
    }
}

/// The parsers of both sides.
private protocol MessageParser {
    var input: ByteInput { get set }
    /// A head in words, and how long its body is.
    mutating func nextHead() throws(HTTPRefusal) -> (String, BodyLength)?
}

extension RequestParser: MessageParser {
    fileprivate mutating func nextHead() throws(HTTPRefusal) -> (String, BodyLength)? {
        guard let request = try next() else { return nil }
        return ("\(request)", request.body)
    }
}

extension ResponseParser: MessageParser {
    fileprivate mutating func nextHead() throws(HTTPRefusal) -> (String, BodyLength)? {
        guard let response = try next(for: .get) else { return nil }
        return ("\(response)", response.body)
    }
}
#endif
