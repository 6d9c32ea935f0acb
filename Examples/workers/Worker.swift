import AsyncUV
import ExampleSupport

/// The process that serves: it echoes the clients that it is passed, and tells when it is done with each.
enum Worker {
    static func run() throws {
        try EventLoop.run { loop in
            // Ctrl-C goes to all processes of the terminal. The parent ends its workers.
            let signals = try await Signals.watch(.interrupt)
            defer { withExtendedLifetime(signals) {} }
            // A duplicate, so that the number of standard input stays taken.
            let channel = try await LocalChannel.open(FileDescriptor.standardInput.duplicate())
            await withDiscardingTaskGroup { group in
                while let message = await next(from: channel) {
                    group.addTask(executorPreference: loop) { await serve(message, channel) }
                }
                // The parent has gone, or is ending.
                group.cancelAll()
            }
        }
    }

    /// Waits through a lack of descriptors: the message is not lost.
    private static func next(from channel: LocalChannel) async -> LocalMessage? {
        while true {
            do { return try await channel.receive() } catch UVError.Code.tooManyOpenFiles {
                try? await channel.loop.sleep(for: .milliseconds(50))
            } catch { return nil }
        }
    }

    /// - Parameter message: The client's number, and its connection.
    private static func serve(_ message: LocalMessage, _ channel: LocalChannel) async {
        do {
            guard let passed = message.descriptors.first else { return }
            let client = try await TCPConnection.open(passed)
            for try await line in client.lines() {
                try await client.write("\(line) (from worker \(SystemInfo.processID))\n")
            }
            await client.close()
        } catch is CancellationError {} catch { printProblem("worker \(SystemInfo.processID): \(error)") }
        try? await channel.send(message.bytes)
    }
}
