import AsyncUV
import TestSupport
import Testing

@Suite struct ActivationTests {
    @Test("Sockets of a service manager: by kind and name, each once, none for children")
    func activated() async throws {
        let (status, output) = try await runProbe(
            "process-probe", ["activate", "tcp-web", "local", "tcp-admin", "udp", "other"])
        #expect(status == 0)
        let lines = output.split(separator: "\n").map(String.init)
        #expect(lines.count == 7)
        #expect(lines.first == "named: 1")
        #expect(lines.count { $0 == "tcp: hello" } == 1)
        #expect(lines.count { $0.hasPrefix("@local-") && $0.hasSuffix(": hello") } == 1)
        #expect(lines.contains("udp: hello") && lines.contains("again: 0 0"))
        #expect(lines.contains(#"rest: ["other is a descriptor"]"#))
        // Standard input, output and errors, and the folder that `ls` reads.
        #expect(lines.last == "child: 4")
    }

    @Test func nobodyHasActivatedTheTests() async throws {
        #expect(try await TCPListener.activated().isEmpty)
        #expect(try await LocalListener.activated().isEmpty)
        #expect(try await UDPSocket.activated().isEmpty)
        let loop = try EventLoop()
        // Nobody wants to hear: it returns.
        try await loop.feedWatchdog()
        await loop.shutdown()
    }

    @Test func theWatchdogIsFedWhileTheLoopTurns() async throws {
        await #expect(processExitsWith: .success) {
            let manager = try ManagerSocket()
            try SystemInfo.setEnvironmentValue(manager.name, of: "NOTIFY_SOCKET")
            try SystemInfo.setEnvironmentValue("20000", of: "WATCHDOG_USEC")
            try onLoop { loop in
                let feeding = loop.spawn { try await loop.feedWatchdog() }
                for _ in 0..<3 {
                    try await loop.waitUntilReadable(manager.descriptor)
                    #expect(try manager.receive() == "WATCHDOG=1")
                }
                feeding.cancel()
                #expect(await failure(of: feeding) is CancellationError)
            }
        }
    }
}
