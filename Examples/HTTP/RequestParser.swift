internal import HTTPTypes

/// Finds the requests in the bytes of a connection, however they are cut into pieces.
///
/// It holds no more than a head and the bytes of one read. After a refusal nobody knows where the next request begins:
/// the connection has to be closed.
public struct RequestParser: Sendable {
    private enum State {
        case requestLine
        case fields
        /// So many bytes of a body are to be dropped.
        case body(Int)
        case refused(Refusal)
    }

    private let limits: RequestLimits
    private var state = State.requestLine
    private var head: RequestHead?
    /// Bytes of the head that have been taken.
    private var headSize = 0

    private var buffer: [UInt8] = []
    /// How much of the buffer is taken, and up to where there is no end of a line.
    private var taken = 0, searched = 0

    public init(limits: RequestLimits = RequestLimits()) { self.limits = limits }

    /// Whether no byte of a next request has come.
    public var isBetweenRequests: Bool {
        if case .requestLine = state { taken == buffer.count && headSize == 0 } else { false }
    }

    /// Adds what has come.
    public mutating func append(_ bytes: [UInt8]) {
        if taken == buffer.count {
            buffer = bytes
        } else {
            buffer.removeFirst(taken)
            buffer += bytes
        }
        searched -= taken
        taken = 0
    }

    /// The next request; `nil` while more bytes are needed.
    public mutating func next() throws(Refusal) -> Request? {
        do { return try advance() } catch {
            state = .refused(error)
            release()
            throw error
        }
    }

    private mutating func advance() throws(Refusal) -> Request? {
        while true {
            switch state {
            case .requestLine:
                guard let line = try takeLine(upTo: limits.line, else: .uriTooLong) else { return nil }
                // Some old clients send one empty line too many after a body.
                if line.isEmpty, headSize == 2 { continue }
                head = try RequestHead(line)
                state = .fields
            case .fields:
                let rest = limits.head - headSize - 2
                guard let line = try takeLine(upTo: rest, else: .requestHeaderFieldsTooLarge) else { return nil }
                if line.isEmpty { return try finishHead() }
                guard let count = head?.fieldCount, count < limits.fieldCount else {
                    throw Refusal(.requestHeaderFieldsTooLarge, "there are too many header fields")
                }
                try head?.add(line)
            case .body(let count):
                let dropped = min(count, buffer.count - taken)
                taken += dropped
                searched = taken
                state = dropped == count ? .requestLine : .body(count - dropped)
                if dropped < count { return nil }
            case .refused(let refusal): throw refusal
            }
        }
    }

    private mutating func finishHead() throws(Refusal) -> Request? {
        let request = try head?.finished(limits)
        head = nil
        headSize = 0
        state = .requestLine
        if case .length(let count) = request?.body { state = .body(count) }
        return request
    }

    /// Takes a line, without its end; `nil` while it is not complete.
    private mutating func takeLine(
        upTo limit: Int, else status: HTTPResponse.Status
    ) throws(Refusal) -> ArraySlice<UInt8>? {
        let end = buffer[searched...].firstIndex(of: .lineFeed)
        // A line of that length, its CR, and perhaps the LF.
        guard (end ?? buffer.count) - taken <= limit + 1 else { throw Refusal(status, "the head is too long") }
        guard let end else {
            searched = buffer.count
            if taken == buffer.count { release() }
            return nil
        }
        let line = buffer[taken..<end]
        guard line.last == .carriageReturn else { throw Refusal(.badRequest, "a line does not end in CR LF") }
        headSize += end + 1 - taken
        taken = end + 1
        searched = taken
        return line.dropLast()
    }

    /// An idle connection holds no buffer.
    private mutating func release() {
        buffer = []
        taken = 0
        searched = 0
    }
}
