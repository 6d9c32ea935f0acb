public import AsyncUV
import Foundation

/// Lines of standard input, which may be a file, a terminal or a pipe: a thread made for what blocks reads them.
public struct StandardInput {
    private var bytes: [UInt8] = []
    private var hasEnded = false

    public init() {}

    /// The next line without its end; `nil` at the end.
    public mutating func readLine(on loop: EventLoop) async throws -> String? {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                defer { bytes.removeSubrange(...end) }
                return String(decoding: bytes[..<end], as: UTF8.self)
            }
            if hasEnded {
                defer { bytes = [] }
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
            let chunk = try await loop.offload { FileHandle.standardInput.availableData }
            hasEnded = chunk.isEmpty
            bytes += chunk
        }
    }
}
