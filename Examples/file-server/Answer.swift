import AsyncUV
import AsyncUVHTTP
import HTTPTypes

/// An answer, before it is sent.
struct Answer: Sendable {
    enum Content: Sendable {
        case bytes([UInt8])
        /// Closed when the answer is dropped.
        case file(File, Range<Int64>)
    }

    private let head: HTTPPreparedHead
    private let content: Content

    /// An answer whose head was written before.
    init(head: HTTPPreparedHead, _ content: Content) {
        self.head = head
        self.content = content
    }

    init(_ status: HTTPResponse.Status, _ fields: HTTPFields = [:], _ content: Content = .bytes([])) {
        self.init(head: Self.head(status, fields), content)
    }

    init(_ refusal: HTTPRefusal) {
        var fields = refusal.fields
        fields[.contentType] = "text/plain; charset=utf-8"
        self.init(refusal.status, fields, .bytes(Array("\(refusal)\n".utf8)))
    }

    static func head(_ status: HTTPResponse.Status, _ fields: HTTPFields) -> HTTPPreparedHead {
        var fields = fields
        // Browsers must not find other types in files than we say.
        fields[.xContentTypeOptions] = "nosniff"
        return HTTPPreparedHead(status, fields)
    }

    /// Of the content in bytes.
    var size: Int {
        switch content {
        case .bytes(let bytes): bytes.count
        case .file(_, let range): range.count
        }
    }

    func send(by response: HTTPServerResponse) async throws {
        switch content {
        case .bytes(let bytes): try await response.send(head, bytes)
        case .file(let file, let range): try await response.send(head, file, range)
        }
    }
}
