internal import Readiness

extension Socket {
    /// Serves a blocking connection to its end.
    func converse(_ buffer: inout [UInt8], _ handler: Handler) throws(SystemError) {
        while case .bytes(let count) = try receive(into: &buffer) {
            handler(&buffer, count)
            try sendAll(buffer.span.extracting(0..<count))
        }
    }
}
