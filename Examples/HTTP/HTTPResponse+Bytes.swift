public import HTTPTypes

extension HTTPResponse {
    /// The head as it is sent. HTTPTypes keeps line ends out of the values.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes += "HTTP/1.1 ".utf8
        bytes += String(status.code).utf8
        bytes.append(.space)
        bytes += status.reasonPhrase.utf8
        for field in headerFields {
            bytes += "\r\n".utf8
            bytes += field.name.rawName.utf8
            bytes += ": ".utf8
            bytes += field.value.utf8
        }
        bytes += "\r\n\r\n".utf8
        return bytes
    }
}
