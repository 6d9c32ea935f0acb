internal import CHTTP2
internal import UV

/// What an error of HTTP/2 says about a stream or a connection.
enum HTTP2ErrorCode: UInt32 {
    case none = 0
    case internalError = 2
    case refusedStream = 7
    case cancel = 8
    case enhanceYourCalm = 11
}

/// What a session tells while it receives or makes output. Nobody may ask it for either then.
protocol SessionOwner: AnyObject {
    func headBegins(_ stream: Int32, isFirst: Bool)
    /// - Returns: Whether the connection may go on.
    func takeField(_ stream: Int32, _ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool
    func headEnds(_ stream: Int32, endsStream: Bool)
    func takeData(_ stream: Int32, _ bytes: Span<UInt8>)
    func dataEnds(_ stream: Int32)
    func reset(_ stream: Int32)
    func closed(_ stream: Int32, _ error: UInt32)
    /// A frame begins that carries nothing of a message.
    func takeControl()
    /// The next bytes of a body, at most as many as there is room for.
    func body(_ stream: Int32, _ room: Int) -> (bytes: ArraySlice<UInt8>, more: More)
}

/// What a body has behind some bytes.
enum More {
    case more, end, endWithFields, nothingYet
}

/// Fields as nghttp2 takes them: one behind the other, and for each how long its name and its value are.
struct FieldList: Sendable {
    fileprivate var bytes: [UInt8] = []
    fileprivate var lengths: [Int] = []

    /// How many bytes nghttp2 is let send, and what names and values need on the way is less than as much again.
    private static let most = 1 << 19

    /// - Throws: `UVError` with `.invalidArgument` when there are too many, because nghttp2 would send none.
    func check(_ operation: String) throws(UVError) {
        if bytes.count <= Self.most { return }
        throw UVError(
            .invalidArgument, in: operation,
            of: "\(bytes.count) bytes of fields, where HTTP/2 has \(Self.most) at most")
    }

    mutating func add(_ name: String, _ value: String) {
        bytes.append(copying: name.utf8.span)
        bytes.append(copying: value.utf8.span)
        lengths.append(name.utf8.count)
        lengths.append(value.utf8.count)
    }

    fileprivate func lend<Value>(_ body: (chttp2_fields) -> Value) -> Value {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe lengths.withUnsafeBufferPointer { lengths in
                unsafe body(
                    chttp2_fields(bytes: bytes.baseAddress, lengths: lengths.baseAddress, count: lengths.count / 2))
            }
        }
    }
}

/// The server's side of a connection: nghttp2's session over memory.
@safe
final class Session {
    private var raw: OpaquePointer?
    private unowned let owner: any SessionOwner

    /// - Parameter owner: Owns the session, and outlives it.
    init(_ owner: any SessionOwner, _ limits: HTTP2Limits, headSize: Int) {
        self.owner = owner
        var callbacks = unsafe chttp2_callbacks()
        unsafe callbacks.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe callbacks.head_begins = { unsafe Session.at($0).headBegins($1, isFirst: $2) }
        unsafe callbacks.field = { context, stream, name, nameCount, value, valueCount in
            let name = unsafe UnsafeBufferPointer(start: name, count: nameCount)
            let value = unsafe UnsafeBufferPointer(start: value, count: valueCount)
            return unsafe Session.at(context).takeField(stream, name.span, value.span) ? 0 : -1
        }
        unsafe callbacks.head_ends = { unsafe Session.at($0).headEnds($1, endsStream: $2) }
        unsafe callbacks.data = { context, stream, bytes, count in
            let bytes = unsafe UnsafeBufferPointer(start: bytes, count: count)
            unsafe Session.at(context).takeData(stream, bytes.span)
        }
        unsafe callbacks.data_ends = { unsafe Session.at($0).dataEnds($1) }
        unsafe callbacks.reset = { context, stream, _ in unsafe Session.at(context).reset(stream) }
        unsafe callbacks.closed = { unsafe Session.at($0).closed($1, $2) }
        unsafe callbacks.control = { context, _, _ in unsafe Session.at(context).takeControl() }
        unsafe callbacks.body = { context, stream, room, count, more in
            let (bytes, what) = unsafe Session.at(context).body(stream, count)
            if let room = unsafe room {
                _ = unsafe UnsafeMutableBufferPointer(start: room, count: count).update(fromContentsOf: bytes)
            }
            let raw =
                switch what {
                case .more: CHTTP2_MORE
                case .end: CHTTP2_END
                case .endWithFields: CHTTP2_END_WITH_FIELDS
                case .nothingYet: CHTTP2_NOTHING_YET
                }
            unsafe more?.pointee = raw
            return bytes.count
        }
        var settings = chttp2_settings(
            concurrent_streams: UInt32(limits.concurrentStreams), stream_window: UInt32(limits.streamWindow),
            connection_window: 1 << 20, header_list_size: UInt32(clamping: headSize), waiting_acknowledgements: 1_000)
        unsafe raw = chttp2_server_new(&callbacks, &settings)
        if unsafe raw == nil { fatalError("there is no memory for a connection") }
    }

    deinit { unsafe chttp2_session_free(raw) }

    private static func at(_ context: UnsafeMutableRawPointer?) -> any SessionOwner {
        guard let context = unsafe context else { fatalError("nghttp2 has lost its context") }
        return unsafe Unmanaged<Session>.fromOpaque(context).takeUnretainedValue().owner
    }

    // MARK: Bytes

    /// - Returns: What is wrong, if nothing more can be received.
    func receive(_ bytes: [UInt8]) -> String? {
        let status = unsafe bytes.withUnsafeBufferPointer { unsafe chttp2_receive(raw, $0.baseAddress, $0.count) }
        return status == 0 ? nil : unsafe String(cString: chttp2_error_text(status))
    }

    /// Appends the next bytes to send.
    ///
    /// - Returns: Whether there were any.
    func appendOutput(to output: inout [UInt8]) -> Bool {
        var bytes: UnsafePointer<UInt8>?
        let count = unsafe chttp2_next_output(raw, &bytes)
        if count <= 0 { return false }
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        return true
    }

    /// The number of the frame that has begun and is not whole; 0 for none.
    var frameUnderWay: UInt64 { unsafe chttp2_frame_under_way(raw) }
    var wantsInput: Bool { unsafe chttp2_wants_input(raw) }
    var wantsOutput: Bool { unsafe chttp2_wants_output(raw) }

    // MARK: Messages

    func submitHead(_ stream: Int32, _ fields: FieldList, hasBody: Bool) {
        _ = unsafe fields.lend { unsafe chttp2_submit_head(raw, stream, $0, hasBody) }
    }

    func submitInterim(_ stream: Int32, _ fields: FieldList) {
        _ = unsafe fields.lend { unsafe chttp2_submit_interim(raw, stream, $0) }
    }

    func submitTrailers(_ stream: Int32, _ fields: FieldList) {
        _ = unsafe fields.lend { unsafe chttp2_submit_trailers(raw, stream, $0) }
    }

    func resume(_ stream: Int32) { unsafe chttp2_resume(raw, stream) }
    func consume(_ stream: Int32, _ count: Int) { unsafe chttp2_consume(raw, stream, count) }
    func reset(_ stream: Int32, _ error: HTTP2ErrorCode) { unsafe chttp2_reset(raw, stream, error.rawValue) }
    func goAway() { unsafe chttp2_go_away(raw) }
    func terminate(_ error: HTTP2ErrorCode) { unsafe chttp2_terminate(raw, error.rawValue) }
}
