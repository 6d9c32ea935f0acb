#if Observability && ServiceLifecycle
import AsyncUV
import InMemoryTracing
import ServiceContextModule
import Testing
import Tracing

/// The context of swift-distributed-tracing is a task-local value: it must come through wherever a task goes on.
@Suite struct TracingTests {
    private enum RequestKey: ServiceContextKey { typealias Value = String }

    private static var current: String? { ServiceContext.current?[RequestKey.self] }

    private func withRequest<Value>(_ name: String, _ body: () async throws -> Value) async rethrows -> Value {
        var context = ServiceContext.topLevel
        context[RequestKey.self] = name
        return try await ServiceContext.withValue(context) { try await body() }
    }

    @Test func contextGoesWhereATaskGoes() async throws {
        let loop = try EventLoop()
        try await withRequest("7") {
            #expect(try await loop.spawn { Self.current }.value == "7")
            #expect(try await loop.withLoop { _ in Self.current } == "7")
            #expect(try await loop.offload { Self.current } == "7")
            #expect(try await withTimeout(.seconds(60), on: loop) { Self.current } == "7")
            #expect(try await FileSystem.readFile("/dev/null").isEmpty)
            #expect(Self.current == "7", "after a trip to the pool")
            try await loop.spawn {
                try await loop.sleep(for: .milliseconds(1))
                #expect(Self.current == "7", "after a wait")
                async let child = Self.current
                #expect(await child == "7")
            }.value
        }
        #expect(Self.current == nil)
        await loop.shutdown()
    }

    @Test("Handlers have the context of serve, and what they set is their own")
    func handlers() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = await withRequest("server") {
            loop.spawn {
                try await listener.serve { connection in
                    guard let line = try await connection.readLine() else { return }
                    let before = Self.current ?? "none"
                    var context = ServiceContext.current ?? .topLevel
                    context[RequestKey.self] = line
                    try await ServiceContext.withValue(context) {
                        try await loop.sleep(for: .milliseconds(1))
                        try await connection.write("\(before) \(Self.current ?? "none")\n")
                    }
                }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<10 {
                group.addTask {
                    let client = try await TCPConnection.connect(to: listener.localAddress)
                    try await client.write("request \(number)\n")
                    #expect(try await client.readLine() == "server request \(number)")
                    await client.close()
                }
            }
            try await group.waitForAll()
        }
        await listener.close()
        try await serving.value
        await loop.shutdown()
    }

    @Test("A span that a handler begins is a child of the span around its loop's work")
    func spans() async throws {
        let tracer = InMemoryTracer()
        let loop = try EventLoop()
        try await tracer.withSpan("outer") { _ in
            try await loop.spawn {
                try await loop.sleep(for: .milliseconds(1))
                try await tracer.withSpan("inner") { _ in try await loop.sleep(for: .milliseconds(1)) }
            }.value
        }
        let spans = tracer.finishedSpans
        #expect(spans.map(\.operationName) == ["inner", "outer"])
        #expect(spans.first?.parentSpanID == spans.last?.spanID && spans.first?.traceID == spans.last?.traceID)
        await loop.shutdown()
    }
}
#endif
