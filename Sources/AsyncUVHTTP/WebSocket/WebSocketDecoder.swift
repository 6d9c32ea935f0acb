internal import UV

/// Makes messages of the bytes that come, wherever those are cut.
struct WebSocketDecoder {
    enum Event: Equatable {
        case message(WebSocketMessage)
        case ping([UInt8])
        case pong([UInt8])
        case close(WebSocketCloseCode, String)
    }

    private let role: WebSocketRole
    private let limits: WebSocketLimits
    /// What has come, and how much of it is used.
    private var bytes: [UInt8] = []
    private var used = 0
    /// The frame whose payload is being read.
    private var frame: WebSocketFrame?
    /// The kind of the message whose frames are being read.
    private var kind: WebSocketOpcode?
    private var payload: [UInt8] = []
    private var utf8 = UTF8Check()
    /// How many messages came of bytes that were there.
    private var inARow = 0

    /// Whether the task should let others run.
    var isPausing: Bool { inARow % 64 == 63 }

    /// Whether no part of a message has come.
    var isBetweenMessages: Bool { used == bytes.count && frame == nil && kind == nil }

    init(_ role: WebSocketRole, _ limits: WebSocketLimits) {
        self.role = role
        self.limits = limits
    }

    mutating func append(_ more: [UInt8]) {
        if used == bytes.count { bytes = more } else { bytes = bytes[used...] + more }
        (used, inARow) = (0, 0)
    }

    /// - Returns: `nil` when more bytes are needed.
    mutating func next() throws(WebSocketError) -> Event? {
        while true {
            if frame == nil, try !beginFrame() { return nil }
            guard let frame else { return nil }
            if frame.opcode.isControl {
                guard bytes.count - used >= frame.left else { return nil }
                self.frame = nil
                return try control(frame.opcode, takePart(of: frame))
            }
            if let event = try takeData(frame) { return event }
            if self.frame != nil { return nil }
        }
    }

    private mutating func beginFrame() throws(WebSocketError) -> Bool {
        guard let (frame, size) = try WebSocketFrame.parse(bytes[used...], for: role) else {
            // An idle connection keeps no memory.
            if used == bytes.count { (bytes, used) = ([], 0) }
            return false
        }
        if frame.left > limits.frame, !frame.opcode.isControl {
            throw WebSocketError(.tooLarge, .messageTooBig, "a frame of more than \(limits.frame) bytes")
        }
        switch frame.opcode {
        case .continuation: if kind == nil { throw .violation("a part of no message") }
        case .text, .binary:
            if kind != nil { throw .violation("a message begins in another") }
            kind = frame.opcode
        case .close, .ping, .pong: break
        }
        if !frame.opcode.isControl, frame.left > limits.message - payload.count {
            throw WebSocketError(.tooLarge, .messageTooBig, "a message of more than \(limits.message) bytes")
        }
        used += size
        self.frame = frame
        return true
    }

    /// Takes what is there of a data frame's payload.
    ///
    /// - Returns: The message when that was its end.
    private mutating func takeData(_ frame: WebSocketFrame) throws(WebSocketError) -> Event? {
        var frame = frame
        let part = takePart(of: frame)
        frame.left -= part.count
        let turned = UInt32(8 * (part.count % 4))
        if turned > 0 { frame.key = frame.key >> turned | frame.key << (32 - turned) }
        let isWhole = payload.isEmpty && frame.left == 0 && frame.isFinal
        if kind == .text, !isWhole, !utf8.take(part.span) { throw Self.notUTF8 }
        if payload.isEmpty { payload = part } else { payload += part }
        if frame.left > 0 {
            self.frame = frame
            return nil
        }
        self.frame = nil
        if !frame.isFinal { return nil }
        inARow += 1
        return .message(try takeMessage(isWhole: isWhole))
    }

    /// Takes what is there of a frame's payload, without its mask.
    private mutating func takePart(of frame: WebSocketFrame) -> [UInt8] {
        let count = min(frame.left, bytes.count - used)
        var part: [UInt8]
        if used == 0, count == bytes.count {
            part = bytes
            bytes = []
        } else {
            part = Array(bytes[used..<used + count])
            used += count
            if used == bytes.count { (bytes, used) = ([], 0) }
        }
        if frame.key != 0 { part.exclusiveOr(from: 0, with: frame.key) }
        return part
    }

    private mutating func takeMessage(isWhole: Bool) throws(WebSocketError) -> WebSocketMessage {
        defer { (kind, utf8) = (nil, UTF8Check()) }
        let bytes = payload
        payload = []
        guard kind == .text else { return .binary(bytes) }
        if !isWhole {
            guard utf8.isComplete else { throw Self.notUTF8 }
            return .text(String(decoding: bytes, as: UTF8.self))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.notUTF8 }
        return .text(text)
    }

    private func control(_ opcode: WebSocketOpcode, _ payload: [UInt8]) throws(WebSocketError) -> Event {
        if opcode == .ping { return .ping(payload) }
        if opcode == .pong { return .pong(payload) }
        if payload.isEmpty { return .close(.noStatus, "") }
        guard payload.count >= 2, let code = WebSocketCloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        else { throw .violation("a close frame without a code that may be sent") }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else { throw Self.notUTF8 }
        return .close(code, reason)
    }

    private static var notUTF8: WebSocketError { WebSocketError(.invalidText, .invalidPayload, "") }
}
