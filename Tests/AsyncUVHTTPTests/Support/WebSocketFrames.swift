@testable import AsyncUVHTTP

/// Frames as a peer may send them, right or wrong.
enum Frames {
    static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

    /// - Parameter first: The first byte: FIN, reserved bits, opcode.
    static func frame(_ first: UInt8, _ payload: [UInt8] = [], masked: Bool, key: [UInt8] = key) -> [UInt8] {
        var bytes = [first]
        let bit: UInt8 = masked ? 0x80 : 0
        if payload.count <= 125 {
            bytes.append(bit | UInt8(payload.count))
        } else if payload.count <= 0xFFFF {
            bytes += [bit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        } else {
            bytes += [bit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        if masked { bytes += key }
        return bytes + (masked ? payload.enumerated().map { $1 ^ key[$0 % 4] } : payload)
    }

    static func text(_ text: String, masked: Bool) -> [UInt8] { frame(0x81, Array(text.utf8), masked: masked) }

    static func close(_ code: UInt16, _ reason: String = "", masked: Bool) -> [UInt8] {
        frame(0x88, [UInt8(code >> 8), UInt8(code & 255)] + Array(reason.utf8), masked: masked)
    }

    /// The frames in what was written, without their masks.
    static func parse(_ bytes: [UInt8]) -> [(first: UInt8, payload: [UInt8], isMasked: Bool)] {
        var frames: [(first: UInt8, payload: [UInt8], isMasked: Bool)] = []
        var rest = bytes[...]
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        while !rest.isEmpty {
            let head = take(2)
            var length = Int(head[1] & 0x7F)
            if length >= 126 { length = take(length == 126 ? 2 : 8).reduce(0) { $0 << 8 | Int($1) } }
            let isMasked = head[1] & 0x80 != 0
            let key = isMasked ? take(4) : [0, 0, 0, 0]
            let payload = take(length).enumerated().map { $1 ^ key[$0 % 4] }
            frames.append((head[0], payload, isMasked))
        }
        return frames
    }
}
