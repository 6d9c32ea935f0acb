import AsyncUV
import Foundation
import TestSupport
import Testing

/// L1: ten thousand connections at once. The clients live in child processes: descriptors are limited for each process.
@Suite(.ownThread) struct TenThousandTests {
    private static let python = "/usr/bin/python3"
    private static let children = 4
    private static let clientsEach = 2_500

    private static let client = """
        import socket, sys
        port, count = int(sys.argv[1]), int(sys.argv[2])
        clients = []
        for _ in range(count):
            clients.append(socket.create_connection(("127.0.0.1", port)))
        print("connected", flush=True)
        sys.stdin.readline()
        for number, client in enumerate(clients): client.sendall(b"%05d" % number)
        good = 0
        for number, client in enumerate(clients):
            answer = b""
            while len(answer) < 5:
                chunk = client.recv(5)
                if not chunk: break
                answer += chunk
            good += answer == b"%05d" % number
        print(good, flush=True)
        """

    @Test(
        "L1: 10,000 connections are all held and all echoed",
        .enabled(if: FileManager.default.isExecutableFile(atPath: python), "needs python3 for its clients"))
    func connections() throws {
        try onLoop { loop in
            let server = try await EchoServer(on: loop)
            let port = server.listener.localAddress.port
            let children = try (0..<Self.children).map { _ in try Child(Self.python, port, Self.clientsEach) }
            for child in children { #expect(await child.line() == "connected") }
            // A client is connected before it is accepted.
            var held = 0
            while held < Self.children * Self.clientsEach {
                try await loop.sleep(for: .milliseconds(10))
                held = try await loop.withLoop { $0.handles.filter { $0.kind.name == "tcp" }.count } - 1
            }
            #expect(held == 10_000)
            for child in children { child.go() }
            for child in children { #expect(await child.line() == "\(Self.clientsEach)") }
            for child in children { child.end() }
            try await server.end()
            #expect(try await loop.withLoop { $0.handles.filter { $0.kind.name == "tcp" && !$0.isClosing }.count } == 0)
        }
    }

    /// A process with clients.
    private final class Child: @unchecked Sendable {
        private let process = Process()
        private let input = Pipe()
        private let output = Pipe()

        init(_ python: String, _ port: UInt16, _ count: Int) throws {
            process.executableURL = URL(filePath: python)
            process.arguments = ["-c", TenThousandTests.client, "\(port)", "\(count)"]
            process.standardInput = input
            process.standardOutput = output
            try process.run()
        }

        /// Waits for one short line.
        func line() async -> String {
            let line = try? await onThread {
                var line = Data()
                while line.last != UInt8(ascii: "\n") {
                    let more = self.output.fileHandleForReading.availableData
                    if more.isEmpty { break }
                    line += more
                }
                return String(decoding: line, as: UTF8.self)
            }
            return line?.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
        }

        func go() { input.fileHandleForWriting.write(Data("\n".utf8)) }

        func end() { process.waitUntilExit() }
    }
}
