import AsyncUV
import Foundation
import UVAsyncMain

/// One loop for everything: the main actor, tasks, actors, and what they read and write. The import of UVAsyncMain is all that is
/// needed.
@main struct MainExecutorApp {
    static func main() async throws {
        let loop = EventLoop.shared
        let before = try await loop.counters.foreignJobs
        let threads = Threads()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
        let serving = Task {
            try await listener.serve { connection in
                await threads.note()
                for try await line in connection.lines() { try await connection.write("\(line.uppercased())\n") }
            }
        }
        try await withThrowingDiscardingTaskGroup { group in
            for visitor in 1...3 {
                group.addTask {
                    try await Task.sleep(for: .milliseconds(10 * visitor))
                    let connection = try await TCPConnection.connect(to: listener.localAddress)
                    try await connection.write("visitor \(visitor)\n")
                    print(try await connection.readLine() ?? "nothing")
                    await connection.close()
                    await threads.note()
                }
            }
        }
        await listener.close()
        try await serving.value
        print("all of it on the main thread: \(await threads.areMain)")
        print("jobs from other threads: \(try await loop.counters.foreignJobs - before)")
    }
}

/// An actor without an executor of its own.
private actor Threads {
    private(set) var areMain = true

    func note() { areMain = areMain && Thread.isMainThread }
}
