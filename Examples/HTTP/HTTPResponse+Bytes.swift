public import HTTPTypes

extension HTTPResponse {
    /// The head as it is sent. HTTPTypes keeps line ends out of the values.
    public var bytes: [UInt8] {
        var text = "HTTP/1.1 \(status.code) \(status.reasonPhrase)\r\n"
        for field in headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        return Array((text + "\r\n").utf8)
    }
}
