import Foundation
import Testing

/// How many descriptors the process has open. Only meaningful where nothing else runs: in an exit test.
func openDescriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }

/// Runs `body` ten times and fails when each run leaves a descriptor open. (The runtime opens some of its own, once,
/// at times that nobody can foresee: a few are no leak, ten are.)
func expectNoLeak(_ body: () async throws -> Void) async throws {
    let before = try openDescriptors()
    for _ in 0..<10 { try await body() }
    #expect(try openDescriptors() < before + 10)
}
