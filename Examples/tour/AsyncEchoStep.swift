import AsyncUV
import ExampleSupport
import Foundation

struct AsyncEchoStep: Step {
    let title = "Async echo, a crowd of clients"
    let sentence = "Server and clients are a loop in the language each, a task each, and share one thread."

    private let messages = 10
    private let size = 1_024

    func run(on stage: Stage) throws {
        // Each client is two descriptors here, and a shell may grant few.
        let clients = max(1, min(1_000, (Int(sysconf(CInt(_SC_OPEN_MAX))) - 64) / 2))
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            let before = try await loop.counters
            let started = loop.clock.now
            try await withThrowingDiscardingTaskGroup { group in
                for _ in 0..<clients { group.addTask { try await talk(to: listener.localAddress) } }
            }
            let took = loop.clock.now - started
            let after = try await loop.counters
            await listener.close()
            try await serving.value

            let foreign = after.foreignJobs - before.foreignJobs
            guard foreign == 0 else { throw Surprise("\(count(foreign, "job")) came from other threads") }
            stage.line(
                "\((after.jobs - before.jobs).grouped) pieces of tasks ran in \((after.turns - before.turns).grouped) turns "
                    + "of the loop; \(foreign) came from other threads")
            stage.success(
                "\(clients.grouped) clients at a time sent \((clients * messages).grouped) messages of \(size.grouped) "
                    + "bytes and got each back, in \(took.text)")
        }
    }

    private func talk(to address: SocketAddress) async throws {
        let connection = try await TCPConnection.connect(to: address)
        let message = [UInt8](repeating: .random(in: 0...255), count: size)
        for _ in 0..<messages {
            try await connection.write(message)
            guard try await connection.read(exactly: size) == message else {
                throw Surprise("an answer differs from its message")
            }
        }
        await connection.close()
    }
}
