import Foundation
import TestSupport
import Testing

/// Cancelled operations leave no memory behind (swift#60441).
@Suite(.inTurn, .disabled(if: isSanitized, "sanitizers keep freed memory"))
struct CancelledMemoryTests {
    @Test(
        "A million cancelled sleeps, and other cancelled waits: flat memory",
        arguments: [("sleep", 1_000), ("accept", 100), ("signal", 100), ("timeout", 100)])
    func isFlat(_ operation: String, rounds: Int) async throws {
        let (status, output) = try await runProbe("memory-probe", [operation, "\(rounds)"])
        let growth = try #require(Int(output.trimmingCharacters(in: .whitespacesAndNewlines)))
        // 100,000 operations that kept 100 bytes each would be 10 MB.
        #expect(status == 0 && growth < 4 << 20)
    }
}
