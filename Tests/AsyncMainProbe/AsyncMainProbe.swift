import AsyncUV
import Foundation
import MainExecutorChecks
import UVAsyncMain

/// A program whose async `main` runs on a loop, because it is linked to UVAsyncMain.
@main struct AsyncMainProbe {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case nil:
            try await Checks.run()
            print("end: true")
        // The process ends in time, whatever its tasks do.
        case "return":
            Task.detached { try await Task.sleep(for: .seconds(100)) }
            Task { while true { await Task.yield() } }
            try await Task.sleep(for: .milliseconds(1))
        case "exit":
            Task { exit(3) }
            try await Task.sleep(for: .seconds(100))
        default: exit(64)
        }
    }
}
