import Foundation
import Testing

/// How many descriptors the process has open. Only meaningful where nothing else runs: in an exit test.
func openDescriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }

/// Runs `body` and fails when it leaves more descriptors open than it found. Once before, for what opens lazily.
func expectNoLeak(_ body: () async throws -> Void) async throws {
    try await body()
    let before = try openDescriptors()
    try await body()
    #expect(try openDescriptors() == before)
}
