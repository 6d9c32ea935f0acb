import AsyncUV
import HTTPTypes
import TestSupport
import Testing

@testable import AsyncUVHTTP

/// Clients that do what a server must stand, and say what it means.
@Suite(.ownThread) struct ServerTroubleTests {
    @Test func limitsOfAnySize() throws {
        var limits = HTTPLimits()
        (limits.line, limits.head, limits.fieldCount, limits.body) = (.max, .max, .max, .max)
        for text in ["GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX y\r\n\r\n", "x\r\n"] {
            for split in 0...text.utf8.count {
                let bytes = Array(text.utf8)
                let requests = Requests([bytes[..<split], bytes[split...]], limits: limits)
                #expect((requests.refusal == nil) == text.contains("X:"))
            }
        }
        let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
        for split in 0...answer.count {
            var parser = ResponseParser(limits: limits)
            parser.input.append(Array(answer[..<split]))
            var head = try parser.next(for: .get)
            parser.input.append(Array(answer[split...]))
            if head == nil { head = try parser.next(for: .get) }
            #expect(head?.head.status == .ok)
        }
    }

    @Test func aLargeBodyThatNobodyReadsEndsTheConnection() throws {
        try withServer { request, response in
            if request.head.path == "/refusal" { throw HTTPRefusal(.forbidden, "no") }
            try await response.send(.forbidden)
        } _: { serving in
            for path in ["/", "/refusal"] {
                let text = try await serving.answers(
                    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\nabc")
                #expect(text.hasPrefix("HTTP/1.1 403") && text.contains("Connection: close\r\n"), "\(text)")
            }
        }
    }

    @Test func clientsThatLeaveWithinABody() throws {
        try withServer { request, response in
            if request.head.path == "/stream" {
                return try await response.stream {
                    for try await piece in request.body { try await $0.write(piece) }
                }
            }
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            for path in ["/", "/stream"] {
                let client = try await serving.connect()
                try await client.write("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
                try await client.finishWriting()
                while let bytes = try? await client.read() {
                    if path == "/" { #expect(String(decoding: bytes, as: UTF8.self).hasPrefix("HTTP/1.1 400")) }
                }
                await client.close()
                let other = try await serving.connect()
                try await other.write("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc")
                try await other.loop.waitUntilIdle()
                await other.closeWithReset()
            }
            while serving.server.statistics.refusals < 4 { try await serving.listener.loop.waitUntilIdle() }
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test func webSocketsThatCannotBe() throws {
        let fields = """
            Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n
            """
        try withServer {
            try await $1.webSocket(for: $0) { _ in }
        } _: { serving in
            for text in [
                "GET / HTTP/1.0\r\n\(fields)\r\n", "GET / HTTP/1.1\r\n\(fields)Content-Length: 300000\r\n\r\n",
                "GET / HTTP/1.1\r\n\(fields)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/3.0\r\n\r\n",
            ] {
                let answer = try await serving.answers(text)
                #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            }
            #expect(serving.thrown.isEmpty)
        }
    }
}
