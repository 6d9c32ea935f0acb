import AsyncUV

/// A child process that serves, and the channel to it, which is its standard input.
final class WorkerProcess: Sendable {
    let channel: LocalChannel
    private let process: ChildProcess

    /// Starts this same program as a worker.
    init(on loop: EventLoop) async throws {
        let (channel, descriptor) = try await LocalChannel.pairWithDescriptor(on: loop)
        defer { try? descriptor.close() }
        // Ctrl-C is for the dispatcher: a worker ends when its channel does.
        process = try await ChildProcess.spawn(
            SystemInfo.executablePath.string, ["--worker"], options: ProcessOptions(isDetached: true),
            input: .descriptor(descriptor), on: loop)
        self.channel = channel
    }

    var processID: Int32 { process.id }
}
