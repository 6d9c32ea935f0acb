#if Observability && ServiceLifecycle
import AsyncTestSupport
import AsyncUV
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import TestSupport
import Testing
import UVServiceLifecycle

@Suite struct ShutdownTests {
    @Test("Graceful shutdown: nobody new comes, who is served is served to the end, idle ones are not waited for")
    func drains() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let gate = AsyncStream.makeStream(of: Void.self)
        let begun = AsyncStream.makeStream(of: Void.self)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await ListenerService([listener]) { connection in
                        while let line = try await connection.readLine(untilDraining: true) {
                            if line == "busy" {
                                begun.continuation.yield()
                                for await _ in gate.stream { break }
                            }
                            try await connection.write("\(line)!\n")
                        }
                    }.run()
                }
                let busy = try await TCPConnection.connect(to: listener.localAddress)
                let idle = try await TCPConnection.connect(to: listener.localAddress)
                try await idle.write("hello\n")
                #expect(try await idle.readLine() == "hello!")
                try await busy.write("busy\n")
                for await _ in begun.stream { break }
                trigger.triggerGracefulShutdown()
                #expect(try await idle.readLine() == nil)
                await expectRefused(listener.localAddress)
                gate.continuation.yield()
                #expect(try await busy.readLine() == "busy!")
                #expect(try await busy.readLine() == nil)
                for client in [busy, idle] { await client.close() }
                try await group.waitForAll()
            }
        }
        #expect(loop.metrics.connections == 0)
        await loop.shutdown()
    }

    @Test func localListenersToo() async throws {
        let loop = try EventLoop()
        let address = try LocalAddress(abstract: "shutdown-\(UInt64.random(in: 0 ... .max))")
        let listener = try await LocalListener.bind(to: address, on: loop)
        let other = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await listener.serveUntilGracefulShutdown { try await $0.write("hello\n") }
                }
                group.addTask { try await other.serveUntilGracefulShutdown { try await $0.write("hello\n") } }
                let client = try await LocalConnection.connect(to: address)
                #expect(try await client.readLine() == "hello")
                trigger.triggerGracefulShutdown()
                try await group.waitForAll()
                await client.close()
            }
        }
        await loop.shutdown()
    }

    @Test func aGroupThatHasNoMoreTimeCancelsTheHandlers() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let begun = AsyncStream.makeStream(of: Void.self)
        let service = ListenerService([listener]) { connection in
            begun.continuation.yield()
            try await connection.loop.sleep(for: .seconds(600))
        }
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: service)], logger: Logger(label: "test"))
        configuration.maximumGracefulShutdownDuration = .milliseconds(10)
        let group = ServiceGroup(configuration: configuration)
        let running = Task { try await group.run() }
        let client = try await TCPConnection.connect(to: listener.localAddress)
        for await _ in begun.stream { break }
        await group.triggerGracefulShutdown()
        _ = await running.result
        #expect(try await client.read() == nil)
        await client.close()
        await loop.shutdown()
    }
}
#endif
