internal import UV

extension StreamConnection {
    /// Lends the body all bytes that are there, without a copy, for parsers of messages. It waits for bytes if there are none, or
    /// none but those of which the last body could use none.
    ///
    /// The body says how many bytes it has used, from the first one on; the others stay, for the next call or any other way to read.
    /// If it has used some, the next call lends the rest at once; if it has used none, because a message is not there as a whole,
    /// the next call waits for more:
    ///
    /// ```swift
    /// while let answers = try await connection.withBytes({ bytes in
    ///     var parser = Parser(bytes)
    ///     while let message = try parser.next() { answer(message) }
    ///     return (used: parser.used, value: takeAnswers())
    /// }) { try await connection.write(answers) }
    /// ```
    ///
    /// - Parameter limit: If the body can use none of so many bytes, the next call throws ``UVError`` with `.messageTooLong`, and they
    ///   can be read otherwise. The body may get 65,536 bytes more than that.
    /// - Parameter timeout: How long to wait for bytes, `nil` for ever.
    /// - Parameter untilDraining: Whether the stream seems to end when ``isDraining`` is true and every byte is used.
    /// - Returns: The body's value; `nil` when the peer has finished and every byte is used.
    /// - Throws: What the body throws: it has used nothing then. ``UVError`` with `.endOfFile` when the peer has finished and the
    ///   body could use none of the rest, `.timedOut` when nothing has come in time, `.invalidArgument` for a number of used bytes that cannot be. Otherwise as
    ///   ``ByteStream/read(upTo:)``.
    ///
    /// Cancellation: nothing has been read, and the body is not called.
    @inlinable
    public func withBytes<Value>(
        limit: Int = 1 << 20, timeout: Duration? = nil, untilDraining: Bool = false,
        _ body: (Span<UInt8>) throws -> (used: Int, value: Value)
    ) async throws -> Value? {
        var value: Value?
        _ = try await stream.useBytes(limit: limit, timeout: timeout, untilDraining: untilDraining) { bytes in
            let result = try body(bytes)
            value = result.value
            return result.used
        }
        return value
    }
}
