import AsyncUV
import ExampleHTTP
import HTTPTypes

/// A response and its content.
struct Answer: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        /// Closed when the answer is dropped.
        case file(File, Range<Int64>)

        /// In bytes.
        var size: Int64 {
            switch self {
            case .bytes(let bytes): Int64(bytes.count)
            case .file(_, let range): Int64(range.count)
            }
        }
    }

    /// Status and fields as they are sent, each line with its end; the date and an empty line are still to come.
    private(set) var head: [UInt8]
    private(set) var content: Content

    init(_ status: HTTPResponse.Status, _ fields: HTTPFields = [:], _ content: Content = .bytes([])) {
        head = Self.head(status, fields, size: content.size)
        self.content = content
    }

    static func head(_ status: HTTPResponse.Status, _ fields: HTTPFields, size: Int64) -> [UInt8] {
        var response = HTTPResponse(status: status, headerFields: fields)
        // The length of a 304 would be that of the file.
        if status != .notModified { response.headerFields[.contentLength] = "\(size)" }
        // Browsers must not find other types in files than we say.
        response.headerFields[.xContentTypeOptions] = "nosniff"
        return response.bytes.dropLast(2)
    }

    /// An answer whose head was written before.
    init(head: [UInt8], _ content: Content) {
        self.head = head
        self.content = content
    }

    init(_ refusal: Refusal, _ fields: HTTPFields = [:]) {
        var fields = fields
        fields[.contentType] = "text/plain; charset=utf-8"
        self.init(refusal.status, fields, .bytes(Array("\(refusal.status): \(refusal.reason)\n".utf8)))
    }

    /// Of the content in bytes.
    var size: Int64 { content.size }

    /// Makes it the answer to a HEAD: as for GET, without the content.
    mutating func dropContent() { content = .bytes([]) }

    /// Says whether the connection stays.
    mutating func addConnection(_ option: StaticString) { head += "Connection: \(option)\r\n".utf8 }

    private var finishedHead: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(head.count + 64)
        bytes += head
        bytes += "Date: ".utf8
        bytes += HTTPDate.now.utf8
        bytes += "\r\n\r\n".utf8
        return bytes
    }

    /// Sends it.
    ///
    /// - Parameter transfers: Knows of it while it sends a large file.
    func send(to client: TCPConnection, _ transfers: Transfers) async throws {
        switch content {
        case .bytes(let bytes): try await client.write(contentsOf: [finishedHead, bytes])
        case .file(let file, let range) where range.count <= Self.small:
            try await client.write(contentsOf: [finishedHead, Self.read(range, from: file)])
        case .file(let file, let range):
            let progress = transfers.begin(to: client)
            defer { transfers.end(to: client) }
            try await client.write(finishedHead)
            let sent = try await file.send(
                to: client, from: range.lowerBound, count: Int64(range.count), onProgress: progress.reached)
            if sent < range.count { throw Self.cut(file) }
        }
    }

    /// Files up to this many bytes are copied: that is quicker than asking the system to send them, if they are in memory.
    private static let small = 16_384

    private static func read(_ range: Range<Int64>, from file: File) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            let more = try await file.read(
                upTo: range.count - bytes.count, at: range.lowerBound + Int64(bytes.count))
            guard !more.isEmpty else { throw cut(file) }
            bytes += more
        }
        return bytes
    }

    /// The length has been promised: nothing but the end of the connection can say that it was wrong.
    private static func cut(_ file: File) -> UVError {
        UVError(.endOfFile, in: "send", of: "\(file.path), which was cut meanwhile")
    }
}
