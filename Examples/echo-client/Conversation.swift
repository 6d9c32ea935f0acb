import ExampleSupport
import UV

/// Standard input to the server, the server's answers to standard output.
final class Conversation {
    private let loop: Loop
    private let connection: StreamHandle
    private var input: StandardInput?
    private var sent = 0
    private var received = 0
    private var problem: String?

    private init(_ connection: StreamHandle) {
        self.connection = connection
        loop = connection.loop
    }

    /// - Returns: What went wrong, if something did.
    static func run(with address: SocketAddress) throws -> String? {
        let connection = try TCPHandle(on: Loop())
        let conversation = Conversation(connection)
        try connection.connect(to: address) { _, error in conversation.begin(error) }
        return try conversation.run()
    }

    /// - Returns: What went wrong, if something did.
    static func run(with address: LocalAddress) throws -> String? {
        let connection = try PipeHandle(on: Loop())
        let conversation = Conversation(connection)
        try connection.connect(to: address) { _, error in conversation.begin(error) }
        return try conversation.run()
    }

    private func begin(_ error: UVError?) { if let error { fail("\(error)") } else { connected() } }

    private func run() throws -> String? {
        try loop.run()
        try loop.close()
        return problem
    }

    private func connected() {
        do {
            try connection.startReading(
                onBytes: { [self] _, bytes in
                    received += bytes.count
                    // Standard output blocks: a reader that is slow slows the server down, too.
                    try? printBytes([UInt8](copying: bytes))
                },
                onEnd: { [self] _, error in ended(error) })
            input = try StandardInput(
                on: loop, onBytes: { [self] bytes in send(bytes) }, onEnd: { [self] in finishSending() })
        } catch { fail("\(error)") }
    }

    private func send(_ bytes: [UInt8]) {
        do {
            sent += bytes.count
            let outcome = try connection.write(bytes) { [self] _, error in
                if let error { fail("\(error)") } else { input?.resume() }
            }
            // The server is slow: wait, do not pile up.
            if outcome == .queued { input?.pause() }
        } catch { fail("\(error)") }
    }

    /// The server reads to the end, answers the rest and finishes too.
    private func finishSending() {
        do { try connection.finishWriting() } catch { fail("\(error)") }
    }

    private func ended(_ error: UVError?) {
        let unanswered = count(sent - received, "byte")
        if let error { return fail("\(error), \(unanswered) unanswered") }
        // The server finishes when we have.
        if connection.isWritable || sent > received { return fail("the server hung up, \(unanswered) unanswered") }
        finish()
    }

    private func fail(_ problem: String) {
        // The first problem is the cause of the others.
        self.problem = self.problem ?? problem
        finish()
    }

    private func finish() {
        connection.close()
        input?.close()
    }
}
