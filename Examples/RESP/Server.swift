public import AsyncUV
internal import Synchronization

/// Answers clients out of one store.
public final class Server: Sendable {
    /// Longer commands are refused.
    private static let longestCommand = 8 << 20
    /// When so many bytes of answers wait, they are sent before further commands are looked at.
    private static let manyAnswers = 65_536

    private let store = Mutex(Store())

    public init() {}

    /// How many commands were answered so far.
    public var commands: Int { store.withLock { $0.commands } }

    /// Answers a client's commands until it finishes, or the server ends and waits for its next command. Each look at its bytes answers all commands that are there.
    public func converse(with client: TCPConnection) async throws {
        var parser = CommandParser()
        var answers = Answers()
        while let isSound = try await client.withBytes(
            limit: Self.longestCommand, untilDraining: true, { answer($0, &parser, &answers) })
        {
            if !answers.bytes.isEmpty { try await client.write(answers.bytes) }
            answers.clear()
            if !isSound { return }
        }
    }

    /// Answers the commands in bytes.
    ///
    /// - Returns: How many bytes they took, and whether more can follow: nobody knows where the next command begins after one
    ///   that is broken.
    private func answer(
        _ bytes: Span<UInt8>, _ parser: inout CommandParser, _ answers: inout Answers
    ) -> (used: Int, value: Bool) {
        var used = 0
        do throws(ProtocolError) {
            while answers.bytes.count < Self.manyAnswers, let end = try parser.parse(bytes, from: used) {
                store.withLock { $0.answer(parser.arguments, in: bytes, &answers) }
                used = end
            }
            return (used, true)
        } catch {
            answers.add(error: "ERR Protocol error: \(error.reason)")
            return (bytes.count, false)
        }
    }
}
