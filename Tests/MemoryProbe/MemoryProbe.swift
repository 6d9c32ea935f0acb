import AsyncUV
import Foundation

/// Runs an operation many times, cancels it each time, and prints how many bytes the process has grown by meanwhile.
///
/// A program of its own: Swift Testing keeps a backtrace of each error that is thrown in its process.
@main struct MemoryProbe {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let operation = arguments.first, let rounds = arguments.dropFirst().first.flatMap({ Int($0) }) else {
            print("usage: memory-probe sleep|accept|signal|timeout ROUNDS")
            exit(64)
        }
        let bytes = try EventLoop.run { loop in
            switch operation {
            case "sleep": return try await growth(rounds) { try await loop.sleep(for: .seconds(100_000)) }
            case "accept":
                let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
                return try await growth(rounds) { _ = try await listener.accept() }
            case "signal":
                let signals = try await Signals.watch(.user1)
                return try await growth(rounds) { _ = try await signals.next() }
            case "timeout":
                return try await growth(rounds) { try await withTimeout(.seconds(100_000)) { await Task.yield() } }
            default: exit(64)
            }
        }
        print(bytes)
    }

    /// Rounds of a thousand tasks that are cancelled while they wait.
    static func growth(
        _ rounds: Int, _ operation: @escaping @Sendable () async throws -> Void
    ) async throws -> Int {
        guard let loop = EventLoop.current else { return .max }
        func round() async {
            let tasks = (0..<1_000).map { _ in loop.spawn { try await operation() } }
            for _ in 0..<3 { await Task.yield() }
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
        }
        for _ in 0..<20 { await round() }
        let before = try residentBytes()
        for _ in 0..<rounds { await round() }
        return try residentBytes() - before
    }

    static func residentBytes() throws -> Int {
        let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return (Int(pages[1]) ?? 0) * 4_096
    }
}
