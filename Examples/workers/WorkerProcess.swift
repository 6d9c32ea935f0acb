import AsyncUV
import Foundation

/// A child process that serves, and the channel to it, which is its standard input.
final class WorkerProcess: Sendable {
    let channel: LocalChannel
    let processID: Int32

    /// Starts this same program as a worker.
    init(on loop: EventLoop) async throws {
        let (channel, descriptor) = try await LocalChannel.pairWithDescriptor(on: loop)
        defer { try? descriptor.close() }
        let process = Process()
        process.executableURL = try URL(filePath: SystemInfo.executablePath.string)
        process.arguments = ["--worker"]
        process.standardInput = FileHandle(fileDescriptor: descriptor.rawValue, closeOnDealloc: false)
        try process.run()
        processID = process.processIdentifier
        self.channel = channel
    }
}
