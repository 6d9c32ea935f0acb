#if Observability && ServiceLifecycle
import AsyncUV
import Logging
import Synchronization
import TestSupport
import Testing
import UVObservability

@Suite(.soleDiagnostics) struct LoggerTests {
    @Test("What serve says by default reaches the logger")
    func serve() async throws {
        let lines = Lines()
        Diagnostics.log(to: Logger(label: "test") { _ in LineHandler(lines) })
        defer { Diagnostics.setHandler(nil) }
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = loop.spawn { try await listener.serve { _ in throw Refusal() } }
        let client = try await TCPConnection.connect(to: listener.localAddress)
        let address = try await client.localAddress
        #expect(try await client.read() == nil)
        await client.close()
        await listener.close()
        try await serving.value
        TCPListener.report(UVError(.tooManyOpenFiles, in: "accept"), nil)
        await loop.shutdown()
        let heard = lines.all.withLock { $0 }
        #expect(heard.contains("error swift-uv: \(address): Refusal()"))
        #expect(heard.contains("warning swift-uv: too many open files (EMFILE) in accept"))
    }

    private struct Refusal: Error {}
}

private final class Lines: Sendable {
    let all = Mutex<[String]>([])
}

private struct LineHandler: LogHandler {
    let lines: Lines
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    init(_ lines: Lines) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.all.withLock { $0.append("\(event.level) \(event.source): \(event.message)") }
    }
}
#endif
