import AsyncUV
import MainExecutorChecks
import UVMainExecutor

/// A program that runs everything on a loop from its synchronous `main`.
@main struct MainExecutorProbe {
    static func main() throws {
        let early = Task { EventLoop.current === MainLoop.loop }
        try MainLoop.run { try await Checks.run() }
        print("between runs: \(EventLoop.current === MainLoop.loop)")
        let left = Task { try await Task.sleep(for: .milliseconds(1)) }
        print("again: \(try MainLoop.run { try await left.value } == ())")
        print("a task from before: \(try MainLoop.run { await early.value } != nil as Bool?)")
        do {
            try MainLoop.run { throw CancellationError() }
            print("an error: false")
        } catch { print("an error: \(error is CancellationError)") }
        print("end: true")
    }
}
