import TestSupport
import Testing
import UV

/// K4: loops on the main thread and the main actor. The thread belongs to a child process.
@Suite(.inTurn) struct MainThreadTests {
    @Test("K4: hops to the main actor and back while EventLoop.run holds the main thread; not, if told so")
    func probe() async throws {
        let (status, output) = try await runProbe("main-thread-probe")
        let lines = output.split(separator: "\n").map(String.init)
        #expect(status == 0)
        #expect(lines.count == 12, "\(output)")
        for line in lines { #expect(line.hasSuffix(": true")) }
    }

    @Test("The main queue is served on the main thread only")
    func offTheMainThread() async throws {
        try await onThread {
            let loop = try Loop()
            expectError(.notPermitted) { try MainQueueHandle(on: loop) }
            try loop.close()
        }
    }
}
