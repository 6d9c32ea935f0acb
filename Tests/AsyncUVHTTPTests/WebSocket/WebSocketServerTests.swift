import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing

/// From the request to the goodbye, with our own server and client.
@Suite(.ownThread) struct WebSocketServerTests {
    private struct Broken: Error {}

    /// Echoes at `/echo`, throws at `/broken`.
    private static let handler: HTTPServer.Handler = { request, response in
        switch request.head.path {
        case "/echo"?:
            try await response.webSocket(for: request, subprotocols: ["b", "a"]) { socket in
                for try await message in socket { try await socket.send(message) }
            }
        case "/broken"?: try await response.webSocket(for: request) { _ in throw Broken() }
        default: try await response.send(.notFound)
        }
    }

    @Test func aConversation() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            let socket = try await WebSocket.connect(
                "ws" + url.dropFirst(4) + "/echo", subprotocols: ["a", "c"], on: loop)
            #expect(socket.subprotocol == "a")
            try await socket.send("hello")
            #expect(try await socket.next() == .text("hello"))
            let bytes = [UInt8](repeating: 3, count: 300_000)
            try await socket.send(bytes)
            #expect(try await socket.next() == .binary(bytes))
            await socket.close()
            #expect(socket.closeCode == .normal)
        }
    }

    @Test func refusalsOnBothSides() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            let error = await #expect(throws: WebSocketError.self) {
                try await WebSocket.connect("ws" + url.dropFirst(4) + "/elsewhere", on: loop)
            }
            #expect(error?.kind == .refused && error?.reason.contains("404") == true)
            let client = HTTPClient(on: loop)
            let plain = try await client.get(url + "/echo")
            #expect(plain.status == .upgradeRequired)
            #expect(plain.fields[.upgrade] == "websocket")
            _ = try await plain.bytes()
            await client.close()
            await #expect(throws: HTTPClientError.self) { try await WebSocket.connect("example.org", on: loop) }
        }
    }

    @Test func aHandlerThatFails() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            let socket = try await WebSocket.connect(url + "/broken", on: loop)
            let error = await #expect(throws: WebSocketError.self) { try await socket.next() }
            #expect(error?.kind == .closed && error?.closeCode == .internalError)
        }
    }

    /// The first messages come with the request, and the request in parts.
    @Test func messagesBehindTheRequest() throws {
        try withSite(HTTPServer(), Self.handler) { loop, url async throws in
            let address = try #require(HTTPURL(url))
            let head = """
                GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n
                """
            let bytes = Array(head.utf8) + Frames.text("one", masked: true) + Frames.text("two", masked: true)
            for split in stride(from: 1, to: bytes.count, by: 7) {
                let connection = try await TCPConnection.connect(host: address.host, port: address.port, on: loop)
                try await connection.write(bytes[..<split])
                try await loop.waitUntilIdle()
                try await connection.write(bytes[split...])
                let answer = try #require(try await connection.readHead())
                #expect(answer.first?.contains(" 101 ") == true)
                #expect(
                    answer.contains("sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                        || answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
                #expect(
                    Frames.parse(try await connection.read(exactly: 10)).map(\.payload) == [
                        Array("one".utf8), Array("two".utf8),
                    ])
                try await connection.write(Frames.close(1000, masked: true))
                #expect(Frames.parse(try await connection.readToEnd()).map(\.first) == [0x88])
                await connection.close()
            }
        }
    }

    @Test func aServerThatEndsSaysGoodbye() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let serving = loop.spawn { try await HTTPServer().serve(listener, onError: { _, _ in }, Self.handler) }
            let socket = try await WebSocket.connect("ws://\(listener.localAddress)/echo", on: loop)
            try await socket.send("hello")
            #expect(try await socket.next() == .text("hello"))
            await listener.close()
            #expect(try await socket.next() == nil)
            #expect(socket.closeCode == .goingAway)
            try await serving.value
        }
    }

    @Test func aClientThatDoesNotSayGoodbyeHoldsNoServer() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let serving = loop.spawn {
                try await HTTPServer().serve(listener) { request, response in
                    try await response.webSocket(for: request, limits: WebSocketLimits(closeTimeout: .milliseconds(20)))
                    {
                        for try await _ in $0 {}
                    }
                }
            }
            let socket = try await WebSocket.connect("ws://\(listener.localAddress)/", on: loop)
            await listener.close()
            try await serving.value
            await socket.close(.abnormal)
        }
    }

    @Test func clientsThatAreGoneAreFound() throws {
        let errors = Shared<[String]>([])
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let serving = loop.spawn {
                try await HTTPServer().serve(listener, onError: { error, _ in errors.change { $0.append("\(error)") } })
                {
                    try await $1.webSocket(for: $0, pinging: .milliseconds(5)) { for try await _ in $0 {} }
                }
            }
            // Nobody reads, so nobody answers.
            let socket = try await WebSocket.connect("ws://\(listener.localAddress)/", on: loop)
            while try await socket.stream.read() != nil {}
            await socket.close(.abnormal)
            await listener.close()
            serving.cancel()
            _ = await serving.result
            #expect(errors.value.isEmpty)
        }
    }
}
