import AsyncUV
import CHTTP2
import Testing
import UV

/// A client of HTTP/2 that does what a test says, on nghttp2's session. For one task on the loop.
@safe
final class RawClient {
    struct Answer {
        var status = 0
        var interim: [Int] = []
        var fields: [String: String] = [:]
        var trailers: [String: String] = [:]
        var body: [UInt8] = []
        var hasEnded = false
        /// How the stream was closed: 0 is in order.
        var error: UInt32?

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let stream: any ByteStream
    private var session: OpaquePointer?
    fileprivate var answers: [Int32: Answer] = [:]
    /// What is to be sent of bodies.
    fileprivate var bodies: [Int32: [UInt8]] = [:]
    fileprivate var endless: Set<Int32> = []
    /// Whether data is taken, so that the server may send more.
    var consumes = true
    fileprivate(set) var hasGoAway = false
    private(set) var isAtEnd = false
    private var hasFinished = false

    init(_ stream: any ByteStream, window: Int = 65_535) {
        self.stream = stream
        var callbacks = unsafe chttp2_callbacks()
        unsafe callbacks.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe callbacks.head_begins = { _, _, _ in }
        unsafe callbacks.field = { context, stream, name, nameCount, value, valueCount in
            let name = unsafe String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
            let value = unsafe String(decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
            unsafe RawClient.at(context).take(stream, name, value)
            return 0
        }
        unsafe callbacks.head_ends = { context, stream, ends in
            if ends { unsafe RawClient.at(context).answers[stream]?.hasEnded = true }
        }
        unsafe callbacks.data = { context, stream, bytes, count in
            let client = unsafe RawClient.at(context)
            unsafe client.answers[stream]?.body += UnsafeBufferPointer(start: bytes, count: count)
            if client.consumes { unsafe chttp2_consume(client.session, stream, count) }
        }
        unsafe callbacks.data_ends = { unsafe RawClient.at($0).answers[$1]?.hasEnded = true }
        unsafe callbacks.reset = { _, _, _ in }
        unsafe callbacks.closed = { unsafe RawClient.at($0).answers[$1]?.error = $2 }
        unsafe callbacks.control = { context, type, _ in if type == 7 { unsafe RawClient.at(context).hasGoAway = true }
        }
        unsafe callbacks.body = { context, stream, room, count, more in
            let client = unsafe RawClient.at(context)
            let bytes = client.bodies[stream, default: []].prefix(count)
            _ = unsafe UnsafeMutableBufferPointer(start: room, count: count).update(fromContentsOf: bytes)
            client.bodies[stream, default: []].removeFirst(bytes.count)
            let isEmpty = client.bodies[stream, default: []].isEmpty
            let isEndless = client.endless.contains(stream)
            unsafe more?.pointee =
                isEmpty && !isEndless ? CHTTP2_END : bytes.isEmpty ? CHTTP2_NOTHING_YET : CHTTP2_MORE
            return bytes.count
        }
        var settings = chttp2_settings(
            concurrent_streams: 100, stream_window: UInt32(window), connection_window: 1 << 20,
            header_list_size: 65_536, waiting_acknowledgements: 1_000)
        unsafe session = chttp2_client_new(&callbacks, &settings)
    }

    deinit { unsafe chttp2_session_free(session) }

    private static func at(_ context: UnsafeMutableRawPointer?) -> RawClient {
        unsafe Unmanaged<RawClient>.fromOpaque(context!).takeUnretainedValue()
    }

    private func take(_ stream: Int32, _ name: String, _ value: String) {
        if name == ":status" {
            let status = Int(value) ?? 0
            if status < 200 { answers[stream]?.interim.append(status) } else { answers[stream]?.status = status }
        } else if answers[stream]?.body.isEmpty != false, answers[stream]?.fields["date"] == nil {
            answers[stream]?.fields[name] = value
        } else {
            answers[stream]?.trailers[name] = value
        }
    }

    subscript(_ stream: Int32) -> Answer { answers[stream] ?? Answer() }

    /// Begins a request.
    ///
    /// - Parameter body: `nil` for none.
    /// - Parameter ends: Whether the body is whole.
    func request(
        _ method: String = "GET", _ path: String = "/", _ fields: [(String, String)] = [], body: [UInt8]? = nil,
        ends: Bool = true
    ) -> Int32 {
        let all = [(":method", method), (":scheme", "http"), (":authority", "a"), (":path", path)] + fields
        let stream = unsafe lend(all) { unsafe chttp2_submit_request(session, $0, body != nil) }
        answers[stream] = Answer()
        bodies[stream] = body
        if !ends { endless.insert(stream) }
        return stream
    }

    /// Adds to a body that was not whole.
    func send(_ stream: Int32, _ bytes: [UInt8], ends: Bool = true) {
        bodies[stream, default: []] += bytes
        if ends { endless.remove(stream) }
        unsafe chttp2_resume(session, stream)
    }

    func finish(_ stream: Int32, trailers: [(String, String)]) {
        _ = unsafe lend(trailers) { unsafe chttp2_submit_trailers(session, stream, $0) }
    }

    func reset(_ stream: Int32) { unsafe chttp2_reset(session, stream, UInt32(CHTTP2_CANCEL.rawValue)) }

    /// Lets the server send so many bytes more.
    func consume(_ stream: Int32, _ count: Int) { unsafe chttp2_consume(session, stream, count) }

    private func lend<Value>(_ fields: [(String, String)], _ body: (chttp2_fields) -> Value) -> Value {
        let bytes = fields.flatMap { Array($0.0.utf8) + Array($0.1.utf8) }
        let lengths = fields.flatMap { [$0.0.utf8.count, $0.1.utf8.count] }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe lengths.withUnsafeBufferPointer { lengths in
                unsafe body(
                    chttp2_fields(bytes: bytes.baseAddress, lengths: lengths.baseAddress, count: fields.count))
            }
        }
    }

    /// What there is to send.
    func output() -> [UInt8] {
        var all: [UInt8] = []
        var bytes: UnsafePointer<UInt8>?
        while true {
            let count = unsafe chttp2_next_output(session, &bytes)
            if count <= 0 { return all }
            unsafe all += UnsafeBufferPointer(start: bytes, count: count)
        }
    }

    func flush() async throws {
        let bytes = output()
        if !bytes.isEmpty, !hasFinished { try await stream.write(bytes) }
    }

    /// Sends nothing more.
    func finish() async throws {
        try await flush()
        hasFinished = true
        try await stream.finishWriting()
    }

    /// Sends what there is, takes what comes, and sends what that asks for, until something is true or the server ends.
    func run(until isDone: () -> Bool) async throws {
        try await flush()
        while !isDone() {
            guard let bytes = try await stream.read(upTo: 65_536) else {
                isAtEnd = true
                return
            }
            unsafe bytes.withUnsafeBufferPointer { _ = unsafe chttp2_receive(session, $0.baseAddress, $0.count) }
            try await flush()
        }
    }

    /// Runs until a stream has been answered or closed.
    func answer(_ stream: Int32) async throws -> Answer {
        try await run { self[stream].hasEnded || self[stream].error != nil }
        return self[stream]
    }
}

/// Frames as they are on the wire, for what nghttp2 does not send.
struct Frame {
    var type: UInt8
    var flags: UInt8 = 0
    var stream: UInt32 = 0
    var payload: [UInt8] = []

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    static let settings = Frame(type: 4)
    static let ping = Frame(type: 6, payload: [UInt8](repeating: 7, count: 8))

    /// `GET http://a/` in HPACK without a table.
    static let get: [UInt8] = [0x82, 0x86, 0x84, 0x01, 0x01, UInt8(ascii: "a")]

    var bytes: [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
            + (0..<4).map { UInt8(stream >> (24 - 8 * UInt32($0)) & 255) } + payload
    }

    /// The frames of what a server has sent.
    static func all(_ bytes: [UInt8]) -> [Frame] {
        var frames: [Frame] = []
        var rest = bytes[...]
        while rest.count >= 9 {
            let head = Array(rest.prefix(9))
            let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            frames.append(
                Frame(type: head[3], flags: head[4], stream: stream, payload: Array(rest.dropFirst(9).prefix(count))))
            rest = rest.dropFirst(9 + count)
        }
        return frames
    }

    /// Of GOAWAY.
    var error: UInt8? { type == 7 && payload.count >= 8 ? payload[7] : nil }
}
