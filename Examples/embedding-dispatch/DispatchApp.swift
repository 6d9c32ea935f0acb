import AsyncUV
import Dispatch
import ExampleSupport
import UV
import UVEmbedding

/// An ordinary async program in one thread's worth of code: the main queue drives the loop, so that the main actor
/// and the loop's tasks take turns. A second loop, of the callback layer, lives on a private queue.
@main struct DispatchApp {
    static func main() async throws {
        let loop = try EventLoop.driven(by: .main, label: "main queue")
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = loop.spawn {
            try await listener.serve { connection in
                for try await line in connection.lines() { try await connection.write("\(line)!\n") }
            }
        }
        let screen = Screen()
        let visiting = loop.spawn {
            let connection = try await TCPConnection.connect(to: listener.localAddress)
            for word in ["one", "two", "three"] {
                try await connection.write("\(word)\n")
                // From the loop to the main actor and back: the same queue.
                await screen.show(try await connection.readLine() ?? "nothing")
            }
            await connection.close()
        }
        try await visiting.value
        screen.show("the main actor is alive, and not on the loop: \(!loop.isCurrent)")
        try await tickOnPrivateQueue(screen)
        await listener.close()
        try await serving.value
        await loop.shutdown()
        screen.show("the loop has ended, the main actor goes on")
    }

    /// Callbacks on a queue of their own: code reaches the loop through the adapter.
    @MainActor private static func tickOnPrivateQueue(_ screen: Screen) async throws {
        let adapter = try DispatchLoopAdapter(makeDriver(), on: DispatchQueue(label: "ticker"))
        let ticks = AsyncStream<Int>.makeStream()
        adapter.async { loop in
            var count = 0
            do {
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    count += 1
                    ticks.continuation.yield(count)
                    guard count == 3 else { return }
                    ticks.continuation.finish()
                    timer.close()
                }
            } catch { ticks.continuation.finish() }
        }
        for await tick in ticks.stream { screen.show("tick \(tick) from a private queue") }
        adapter.detach()
    }

    /// A loop is made in synchronous code, because its thread matters until it has a queue.
    private static func makeDriver() throws -> sending LoopDriver { try LoopDriver(Loop()) }
}

/// What the application shows: the main actor's.
@MainActor final class Screen {
    func show(_ line: String) { printLine(line) }
}
