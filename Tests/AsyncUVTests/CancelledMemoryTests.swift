import AsyncUV
import Foundation
import TestSupport
import Testing

/// Cancelled operations leave no memory behind (swift#60441). In child processes, whose memory is nobody else's.
@Suite(.timeLimit(.minutes(3)), .disabled(if: isSanitized, "sanitizers keep freed memory"))
struct CancelledMemoryTests {
    @Test("Cancelled sleeps: flat memory")
    func sleeps() async throws {
        await withKnownIssue("about 300 bytes stay for each") {
            await #expect(processExitsWith: .success) {
                try await CancelledMemoryTests.checkFlat(rounds: 100) { loop in
                    { try await loop.sleep(for: .seconds(100_000)) }
                }
            }
        }
    }

    @Test("Cancelled accepts, while no client comes: flat memory")
    func accepts() async throws {
        await withKnownIssue("about 300 bytes stay for each") {
            await #expect(processExitsWith: .success) {
                try await CancelledMemoryTests.checkFlat(rounds: 100) { loop in
                    let listener = try await TCPListener.onLoopback()
                    return { _ = try await listener.accept() }
                }
            }
        }
    }

    @Test("Cancelled waits for a signal that does not come: flat memory")
    func signals() async throws {
        await withKnownIssue("about 300 bytes stay for each") {
            await #expect(processExitsWith: .success) {
                try await CancelledMemoryTests.checkFlat(rounds: 100) { loop in
                    let signals = try await Signals.watch(SIGUSR1)
                    return { _ = try await signals.next() }
                }
            }
        }
    }

    @Test("Timeouts that do not happen: flat memory")
    func timeouts() async throws {
        await withKnownIssue("about 300 bytes stay for each") {
            await #expect(processExitsWith: .success) {
                try await CancelledMemoryTests.checkFlat(rounds: 100) { loop in
                    { try await withTimeout(.seconds(100_000)) { await Task.yield() } }
                }
            }
        }
    }

    /// Runs an operation in rounds of a thousand tasks that are cancelled.
    static func checkFlat(
        rounds: Int, _ prepare: @escaping @Sendable (EventLoop) async throws -> @Sendable () async throws -> Void
    ) async throws {
        try await onThread {
            try EventLoop.run { loop in
                let operation = try await prepare(loop)
                func round() async {
                    let tasks = (0..<1_000).map { _ in loop.spawn { try await operation() } }
                    for _ in 0..<3 { await Task.yield() }
                    for task in tasks { task.cancel() }
                    for task in tasks { _ = await task.result }
                }
                for _ in 0..<10 { await round() }
                let before = residentBytes()
                for _ in 0..<rounds { await round() }
                let growth = residentBytes() - before
                // At the very least a hundred bytes for each that stayed.
                if growth > 100 * 1_000 * rounds / 2 + (4 << 20) { fatalError("\(growth) bytes more") }
            }
        }
    }
}
