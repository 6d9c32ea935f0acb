import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing
import UV

/// Bodies of requests, and servers that do not want them.
@Suite(.ownThread) struct HTTPUploadTests {
    private struct Broken: Error {}

    @Test func lengthsThatWereNotKept() throws {
        try withSite { request, response in
            try await response.send(text: try await request.body.collectText())
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            for count in [3, 5] {
                let body = HTTPClientBody.pieces(length: 4) { try await $0.write([UInt8](repeating: 65, count: count)) }
                let error = await #expect(throws: HTTPClientError.self) {
                    try await client.post(url, body: body).text()
                }
                #expect(error?.kind == .badRequest)
            }
            let broken = HTTPClientBody.pieces { writer in
                try await writer.write("half")
                throw Broken()
            }
            await #expect(throws: Broken.self) { try await client.post(url, body: broken) }
            #expect(client.idleConnectionCount == 0)
        }
    }

    /// An error of the body's own looks like one of the connection.
    @Test func bodiesThatCannotBeRead() throws {
        try withSite { request, response in
            try await response.send(text: try await request.body.collectText())
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            let body = HTTPClientBody.pieces { writer in
                try await writer.write("half")
                throw UVError(.brokenPipe, in: "read", of: "something else")
            }
            let error = await #expect(throws: UVError.self) { try await client.post(url, body: body) }
            #expect(error?.subject == "something else")
        }
    }

    /// The server answers before it has read the body, and reads no more.
    @Test func refusedBodies() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nlong")
            _ = try? await connection.readToEnd()
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            let cancelled = Shared(false)
            let endless = HTTPClientBody.pieces { writer in
                do { while true { try await writer.write([UInt8](repeating: 1, count: 65_536)) } } catch {
                    cancelled.value = true
                    throw error
                }
            }
            let large = HTTPClientBody.bytes([UInt8](repeating: 1, count: 32 << 20))
            for body in [endless, large] {
                let response = try await client.post(url, body: body)
                #expect(response.status == .contentTooLarge)
                #expect(try await response.text() == "long")
                #expect(client.idleConnectionCount == 0)
            }
            while !cancelled.value { try await loop.waitUntilIdle() }
        }
    }

    @Test func serversThatAreAskedBefore() throws {
        var limits = HTTPLimits()
        limits.body = 100
        let sent = Shared(0)
        try withSite(HTTPServer(limits: limits)) { request, response in
            if request.head.path == "/no" { return try await response.send(.forbidden) }
            try await response.send(text: try await request.body.collectText())
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            let body = HTTPClientBody.pieces(length: 5) { writer in
                sent.change { $0 += 1 }
                try await writer.write("hello")
            }
            let response = try await client.post(url, fields: [.expect: "100-continue"], body: body)
            #expect(try await response.text() == "hello")
            #expect(sent.value == 1)
            let refused = try await client.post(url + "/no", fields: [.expect: "100-continue"], body: body)
            #expect(refused.status == .forbidden)
            #expect(sent.value == 1)
            await client.close()
        }
    }

    @Test func aServerThatDoesNotRead() throws {
        try withPeer { connection, _ in
            try await connection.loop.sleep(for: .seconds(3_600))
        } _: { loop, url async throws in
            var configuration = HTTPClient.Configuration()
            configuration.bodyTimeout = .milliseconds(20)
            let client = HTTPClient(configuration, on: loop)
            for body in [
                HTTPClientBody.bytes([UInt8](repeating: 1, count: 32 << 20)),
                .pieces { while true { try await $0.write([UInt8](repeating: 1, count: 65_536)) } },
            ] {
                let error = await #expect(throws: HTTPClientError.self) { try await client.post(url, body: body) }
                #expect(error?.kind == .bodyTimeout)
            }
        }
    }

    /// The answer comes while the request still goes.
    @Test func bothAtOnce() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while let size = try await connection.readLine(limit: 100), size != "0" {
                let piece = try await connection.readLine(limit: 100) ?? ""
                try await connection.write("\(size)\r\n\(piece)\r\n")
            }
            try await connection.write("0\r\n\r\n")
        } _: { loop, url async throws in
            let words = Channel<String>(capacity: 1)
            let body = HTTPClientBody.pieces { writer in
                for try await word in words { try await writer.write(word) }
            }
            let client = HTTPClient(on: loop)
            let response = try await client.post(url, body: body)
            let pieces = response.body.makeAsyncIterator()
            for word in ["one", "two", "three"] {
                try await words.send(word)
                #expect(try await pieces.next() == Array(word.utf8))
            }
            words.finish()
            #expect(try await pieces.next() == nil)
        }
    }
}
