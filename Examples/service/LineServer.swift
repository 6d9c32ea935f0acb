#if Observability && ServiceLifecycle
import AsyncUV

/// Answers lines.
struct LineServer: Sendable {
    let answersMetrics: @Sendable () -> String

    func serve(_ client: TCPConnection) async throws {
        // A client that says nothing is not waited for when the service ends; one that waits for its answer gets it.
        while let line = try await client.readLine(limit: 1_000, untilDraining: true) {
            try await client.write(try await answer(to: line, for: client) + "\n")
        }
    }

    private func answer(to line: String, for client: TCPConnection) async throws -> String {
        if line == "metrics" { return answersMetrics() }
        guard line.hasPrefix("slow ") else { return line.uppercased() }
        try await client.loop.sleep(for: .seconds(1))
        return line.dropFirst(5).uppercased()
    }
}
#endif
