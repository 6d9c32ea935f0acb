import AsyncUV
import AsyncUVHTTP
import Foundation
import TestSupport
import Testing

/// Conversations with the Python package `websockets`, where it is installed.
@Suite(.ownThread, .enabled(if: PythonPeer.isThere, "needs python3 with the package websockets"))
struct WebSocketPeerTests {
    private static let sizes = "[0, 1, 125, 126, 65535, 65536, 1000000]"

    /// Python's client, which sends in fragments, too, and our server.
    @Test func pythonsClient() throws {
        try withSite { request, response in
            try await response.webSocket(for: request, limits: WebSocketLimits(message: 2 << 20)) { socket in
                for try await message in socket { try await socket.send(message) }
            }
        } _: { loop, url async throws in
            let script = """
                import asyncio, sys, websockets
                async def main():
                    async with websockets.connect("ws" + sys.argv[1][4:] + "/", compression=None, max_size=None) as socket:
                        for size in \(Self.sizes):
                            for message in ["é" * (size // 2), bytes(i % 251 for i in range(size))]:
                                await socket.send(message)
                                assert await socket.recv() == message, size
                        await socket.send(["He", "ll", "o"])
                        assert await socket.recv() == "Hello"
                        await (await socket.ping(b"alive"))
                    print(socket.close_code)
                asyncio.run(main())
                """
            let result = try await PythonPeer.run(script, url, on: loop)
            #expect(result.text == "1000\n", "\(result.errorText)")
        }
    }

    /// Python's server, which offers compression, and our client.
    @Test func pythonsServer() throws {
        try onLoop { loop in
            let script = """
                import asyncio, websockets
                async def echo(socket):
                    async for message in socket:
                        if message == "fragments": await socket.send(["He", "ll", "o"])
                        elif message == "wrong": await socket.close(4711, "as you like")
                        else: await socket.send(message)
                async def main():
                    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
                        print(server.sockets[0].getsockname()[1], flush=True)
                        await asyncio.Future()
                asyncio.run(main())
                """
            try await withProgram(PythonPeer.program, ["-c", script], on: loop) { child in
                let port = try await child.output?.readLine(limit: 100) ?? ""
                let url = "ws://127.0.0.1:\(port)/"
                let socket = try await WebSocket.connect(url, limits: WebSocketLimits(message: 2 << 20), on: loop)
                for size in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
                    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) }
                    try await socket.send(bytes)
                    #expect(try await socket.next() == .binary(bytes))
                    let text = String(repeating: "é", count: size / 2)
                    try await socket.send(text)
                    #expect(try await socket.next() == .text(text))
                }
                try await socket.send("fragments")
                #expect(try await socket.next() == .text("Hello"))
                await socket.close()
                #expect(socket.closeCode == .normal)

                let other = try await WebSocket.connect(url, on: loop)
                try await other.send("wrong")
                let error = await #expect(throws: WebSocketError.self) { try await other.next() }
                #expect(error?.closeCode.rawValue == 4_711 && error?.reason == "as you like")
            }
        }
    }
}

/// A Python that may have packages.
enum PythonPeer {
    static let program = "python3"

    static let isThere: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program, "-c", "import websockets"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    static func run(_ script: String, _ argument: String, on loop: EventLoop) async throws -> ChildProcess.Finished {
        try await ChildProcess.run(program, ["-c", script, argument], on: loop)
    }
}
