import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import Synchronization
import UV

/// The server of AsyncUVHTTP over a stream in memory.
enum Ours {
    private static let server = {
        // SwiftNIO's are not ours; limits are not what is compared.
        var limits = HTTPLimits()
        (limits.line, limits.head, limits.fieldCount, limits.body) = (70_000, 1 << 20, 2_000, .max)
        return HTTPServer(limits: limits)
    }()

    static func read(_ pieces: [[UInt8]], on loop: EventLoop) async -> Reading {
        let stream = MemoryStream(pieces, on: loop)
        let log = Log()
        let refusals = server.statistics.refusals
        try? await server.serve(stream) { request, response in
            log.reading.withLock { $0.requests.append(Reading.Request(request.head)) }
            do {
                for try await piece in request.body.limited(to: .max) { log.change { $0.body += piece } }
            } catch let refusal as HTTPRefusal {
                log.reading.withLock { $0.end = .refused(refusal.reason) }
                throw refusal
            }
            log.change { $0.isWhole = true }
            try await response.send(.noContent)
        }
        var reading = log.reading.withLock { $0 }
        let isWhole = reading.requests.last?.isWhole != false
        if reading.end == .open, isWhole {
            if server.statistics.refusals > refusals {
                reading.end = .refused(stream.lastAnswer.body)
            } else if stream.lastAnswer.head.contains("Connection: close") {
                reading.end = .closed
            }
        }
        return reading
    }

    private final class Log: Sendable {
        let reading = Mutex(Reading())

        func change(_ body: (inout Reading.Request) -> Void) {
            reading.withLock { body(&$0.requests[$0.requests.count - 1]) }
        }
    }
}

extension Reading.Request {
    init(_ head: HTTPRequest) {
        method = head.method.rawValue
        let authority = head.authority ?? ""
        if head.method == .connect {
            target = authority
        } else if let scheme = head.scheme {
            target = "\(scheme)://\(authority)\(head.path ?? "")"
        } else {
            target = head.path ?? ""
            host = head.authority
        }
        fields = head.headerFields.map { Reading.Field($0.name.rawName, $0.value) }
    }
}

/// Gives what it was given, piece by piece, and keeps what is written.
private final class MemoryStream: ByteStream {
    private struct State {
        var incoming: ArraySlice<[UInt8]>
        var outgoing: [UInt8] = []
    }

    let loop: EventLoop
    private let state: Mutex<State>

    init(_ pieces: [[UInt8]], on loop: EventLoop) {
        self.loop = loop
        state = Mutex(State(incoming: pieces.filter { !$0.isEmpty }[...]))
    }

    /// The last answer that was written, after the one to a client that waits for a word.
    var lastAnswer: (head: String, body: String) {
        let text = String(decoding: state.withLock { $0.outgoing }, as: UTF8.self)
        // A reason may name the version, too.
        let last = text.ranges(of: /HTTP\/1\.1 \d/).last.map { text[$0.lowerBound...] } ?? ""
        let parts = last.split(separator: "\r\n\r\n", maxSplits: 1)
        let body = parts.count > 1 ? parts[1].split(separator: ": ", maxSplits: 1).last ?? "" : ""
        return (String(parts.first ?? ""), body.split(separator: "\n").first.map(String.init) ?? "")
    }

    func read(upTo limit: Int) async throws -> [UInt8]? {
        state.withLock { state in
            guard let first = state.incoming.first else { return nil }
            if first.count <= limit { return state.incoming.removeFirst() }
            state.incoming[state.incoming.startIndex] = Array(first[limit...])
            return Array(first[..<limit])
        }
    }

    func write(_ bytes: [UInt8]) async throws { state.withLock { $0.outgoing += bytes } }
    func write(contentsOf chunks: [[UInt8]]) async throws { try await write(Array(chunks.joined())) }
    func unread(_ bytes: [UInt8]) async throws {
        state.withLock { $0.incoming.insert(bytes, at: $0.incoming.startIndex) }
    }
    func finishWriting() async throws {}
    func close() async {}

    // Not used by servers of HTTP.
    func readUntil(_ delimiter: UInt8, limit: Int) async throws -> [UInt8]? { throw UVError(.notSupported, in: "read") }
    func readLine(limit: Int) async throws -> String? { throw UVError(.notSupported, in: "read") }
    func readLineBytes(limit: Int) async throws -> [UInt8]? { throw UVError(.notSupported, in: "read") }

    struct AsyncIterator: AsyncIteratorProtocol {
        let stream: MemoryStream
        func next() async throws -> [UInt8]? { try await stream.read(upTo: 65_536) }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
