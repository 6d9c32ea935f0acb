import AsyncUV
import Dispatch
import ExampleSupport

/// An application with one thread: the loop runs on the main thread and serves the main actor and the main queue, too.
@main struct MainThreadApp {
    static func main() throws {
        let ledger = Ledger()
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await line in connection.lines() {
                        // From the loop to the main actor and back: another queue, but the same thread.
                        let balance = await ledger.book(line)
                        try await connection.write(Array("\(balance)\n".utf8))
                    }
                }
            }
            try await withThrowingDiscardingTaskGroup { group in
                for customer in 1...3 {
                    group.addTask { try await visit(listener.localAddress, customer) }
                }
            }
            // Code that knows nothing of loops keeps working.
            await withCheckedContinuation { continuation in DispatchQueue.main.async { continuation.resume() } }
            printLine("the main queue is served, and we are back on the loop: \(loop.isCurrent)")

            await listener.close()
            try await serving.value
            printLine("jobs from other threads: \(try await loop.counters.foreignJobs)")
        }
        // The loop has ended, the main actor's state is still there.
        printLine("closing balance: \(ledger.balance), \(count(ledger.bookings, "booking"))")
    }

    private static nonisolated func visit(_ bank: SocketAddress, _ customer: Int) async throws {
        let connection = try await TCPConnection.connect(to: bank)
        for amount in [100 * customer, -10 * customer] {
            try await connection.write(Array("\(amount)\n".utf8))
            let balance = try await connection.readLine() ?? "nothing"
            printLine("customer \(customer): \(amount), balance \(balance)")
        }
        await connection.close()
    }
}
