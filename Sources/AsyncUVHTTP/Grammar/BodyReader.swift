internal import HTTPTypes

/// Finds the pieces of a body in the bytes of a connection, however they are cut.
struct BodyReader: Sendable {
    enum Piece: Sendable, Equatable {
        case bytes([UInt8])
        /// Nothing is there.
        case needsMore
        case end
    }

    private enum State: Sendable {
        case ended
        /// So many bytes are still to come.
        case length(Int)
        case toEnd
        case chunkSize
        /// So many bytes of a chunk are still to come.
        case chunk(Int)
        case chunkEnd
        case trailers(FieldReader, room: Int)
        case refused(HTTPRefusal)
    }

    private let limits: HTTPLimits
    private var state: State
    /// The fields behind a body of chunks, when it has ended.
    private(set) var trailers = HTTPFields()

    init(_ length: BodyLength, limits: HTTPLimits) {
        self.limits = limits
        state =
            switch length {
            case .none: .ended
            case .length(let count): .length(count)
            case .chunked: .chunkSize
            case .toEnd: .toEnd
            }
    }

    /// Whether the whole body has been taken.
    var hasEnded: Bool { if case .ended = state { true } else { false } }

    /// How many bytes are still to come, when that is known.
    var remaining: Int? {
        switch state {
        case .ended: 0
        case .length(let count): count
        default: nil
        }
    }

    /// The longest line of a chunk's size, with extensions.
    private static let sizeLine = 256

    /// The next piece of what is there.
    ///
    /// - Parameter limit: The most bytes of it.
    mutating func next(_ input: inout ByteInput, upTo limit: Int = .max) throws(HTTPRefusal) -> Piece {
        do { return try advance(&input, limit) } catch {
            state = .refused(error)
            input.clear()
            throw error
        }
    }

    /// The peer has finished.
    ///
    /// - Returns: Whether the body has, too.
    mutating func finish() -> Bool {
        if case .toEnd = state { state = .ended }
        return hasEnded
    }

    private mutating func advance(_ input: inout ByteInput, _ limit: Int) throws(HTTPRefusal) -> Piece {
        while true {
            switch state {
            case .ended: return .end
            case .refused(let refusal): throw refusal
            case .length(let count):
                if input.isEmpty { return .needsMore }
                let piece = input.takePiece(upTo: min(count, limit))
                state = piece.count == count ? .ended : .length(count - piece.count)
                return .bytes(piece)
            case .toEnd: return input.isEmpty ? .needsMore : .bytes(input.takePiece(upTo: limit))
            case .chunkSize:
                guard let size = try chunkSize(&input) else { return .needsMore }
                state = size > 0 ? .chunk(size) : .trailers(FieldReader(), room: limits.head)
            case .chunk(let count):
                if input.isEmpty { return .needsMore }
                let piece = input.takePiece(upTo: min(count, limit))
                state = piece.count == count ? .chunkEnd : .chunk(count - piece.count)
                return .bytes(piece)
            case .chunkEnd:
                if input.count >= 1, input.bytes[input.taken] != .carriageReturn { throw Self.unendedChunk }
                if input.count < 2 { return .needsMore }
                if input.bytes[input.taken + 1] != .lineFeed { throw Self.unendedChunk }
                input.take(to: input.taken + 2)
                state = .chunkSize
            case .trailers(var reader, var room):
                var position = input.taken
                let isComplete = try reader.read(
                    input, from: &position, room: &room, fieldCount: limits.fieldCountThatCanBe)
                input.take(to: position)
                if !isComplete {
                    input.noteSearched()
                    state = .trailers(reader, room: room)
                    return .needsMore
                }
                // Whoever obeyed them would see another end of the body, or of the connection.
                if reader.framing.isAboutMessage {
                    throw HTTPRefusal(.badRequest, "a field behind a body is about the message itself")
                }
                trailers = reader.fields
                state = .ended
            }
        }
    }

    private static let unendedChunk = HTTPRefusal(.badRequest, "a chunk does not end where it should")

    /// The size in the line that begins a chunk; nothing while its end has not come. Extensions mean nothing.
    private func chunkSize(_ input: inout ByteInput) throws(HTTPRefusal) -> Int? {
        let start = input.taken
        guard let end = input.endOfLine(from: start) else {
            if input.count > Self.sizeLine { throw Self.wrongSize }
            input.noteSearched()
            return nil
        }
        if end - start > Self.sizeLine { throw Self.wrongSize }
        let size = try Self.chunkSize(input.bytes.span, start..<end)
        input.take(to: end + 1)
        return size
    }

    /// - Parameter line: Up to the LF.
    private static func chunkSize(_ bytes: Span<UInt8>, _ line: Range<Int>) throws(HTTPRefusal) -> Int {
        guard let last = line.last, bytes[last] == .carriageReturn else { throw Self.wrongSize }
        let start = line.lowerBound
        let line = start..<last
        var size = 0
        var index = start
        while index < line.upperBound, let digit = bytes[index].hexadecimalValue {
            // Fifteen digits are 2^60 bytes at most.
            guard index - start < 15 else { throw Self.wrongSize }
            size = size << 4 | digit
            index += 1
        }
        guard index > start else { throw Self.wrongSize }
        if index < line.upperBound, !ChunkExtensions.areExtensions(bytes.extracting(index..<line.upperBound)) {
            throw Self.wrongSize
        }
        return size
    }

    private static let wrongSize = HTTPRefusal(.badRequest, "the size of a chunk is not a number")
}
