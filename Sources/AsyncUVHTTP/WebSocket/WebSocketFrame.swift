internal import UV

/// What a frame carries.
enum WebSocketOpcode: UInt8 {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    /// Whether it may stand between the frames of a message.
    var isControl: Bool { rawValue >= 8 }
}

/// The bytes before a frame's payload, as they were read.
struct WebSocketFrame {
    let opcode: WebSocketOpcode
    let isFinal: Bool
    /// How many bytes of the payload are still to come.
    var left: Int
    /// The key for the next byte in its lowest byte; 0 when nothing is masked.
    var key: UInt32

    /// Takes a header from the front of bytes.
    ///
    /// - Returns: `nil` when it is not there as a whole.
    static func parse(
        _ bytes: ArraySlice<UInt8>, for role: WebSocketRole
    ) throws(WebSocketError) -> (frame: Self, size: Int)? {
        guard bytes.count >= 2 else { return nil }
        let start = bytes.startIndex
        let (first, second) = (bytes[start], bytes[start + 1])
        if first & 0x70 != 0 { throw .violation("a reserved bit is set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else {
            throw .violation("a frame of the unknown kind \(first & 0x0F)")
        }
        let isFinal = first & 0x80 != 0
        let isMasked = second & 0x80 != 0
        if isMasked != (role == .server) {
            throw .violation(isMasked ? "a frame of the server that is masked" : "a frame that is not masked")
        }
        let shortLength = Int(second & 0x7F)
        if opcode.isControl, !isFinal || shortLength > 125 {
            throw .violation(isFinal ? "a control frame of more than 125 bytes" : "a control frame in parts")
        }
        let lengthSize = shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0
        let size = 2 + lengthSize + (isMasked ? 4 : 0)
        guard bytes.count >= size else { return nil }
        var length = shortLength
        if lengthSize > 0 {
            let long = bytes[start + 2..<start + 2 + lengthSize].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard long <= UInt64(Int.max), long > (lengthSize == 2 ? 125 : 0xFFFF) else {
                throw .violation("a length that is not in its shortest form")
            }
            length = Int(long)
        }
        let key =
            isMasked ? bytes[start + size - 4..<start + size].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) } : 0
        return (Self(opcode: opcode, isFinal: isFinal, left: length, key: key), size)
    }

    /// The bytes of a whole frame.
    ///
    /// - Parameter key: Masks the payload; `nil` for what a server sends.
    static func bytes(
        _ opcode: WebSocketOpcode, _ payload: Span<UInt8>, isFinal: Bool = true, key: UInt32?
    ) -> [UInt8] {
        var bytes = header(opcode, payload.count, isFinal: isFinal, key: key, room: payload.count)
        let start = bytes.count
        bytes.append(copying: payload)
        if let key { bytes.exclusiveOr(from: start, with: key) }
        return bytes
    }

    /// - Parameter room: For how many bytes more to make room.
    static func header(
        _ opcode: WebSocketOpcode, _ length: Int, isFinal: Bool = true, key: UInt32?, room: Int = 0
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(14 + room)
        bytes.append(opcode.rawValue | (isFinal ? 0x80 : 0))
        let maskBit: UInt8 = key == nil ? 0 : 0x80
        switch length {
        case ...125: bytes.append(UInt8(length) | maskBit)
        case ...0xFFFF:
            bytes.append(126 | maskBit)
            for shift in [8, 0] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        default:
            bytes.append(127 | maskBit)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
        }
        if let key { for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: key >> shift)) } }
        return bytes
    }

    /// The payload of a close frame. A reason of more than 123 bytes is cut between two characters.
    static func closePayload(_ code: WebSocketCloseCode, _ reason: String) -> [UInt8] {
        if code == .noStatus { return [] }
        var bytes = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for character in reason.unicodeScalars {
            let encoded = Array(String(character).utf8)
            if bytes.count + encoded.count > 125 { break }
            bytes += encoded
        }
        return bytes
    }
}
