import AsyncUV
import HTTPTypes
import TestSupport
import Testing
import UV

@testable import AsyncUVHTTP

@Suite(.ownThread) struct HTTPClientTroubleTests {
    @Test(arguments: ["http", "https"])
    func theConfigurationCannotEndALine(scheme: String) throws {
        let seen = Shared<[String]>([])
        try withPeer { connection, _ in
            let head = try await connection.readHead() ?? []
            seen.change { $0 += head }
            try await connection.write("HTTP/1.1 407 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        } _: { loop, url async throws in
            let address = try #require(HTTPURL(url))
            for end in ["\n", "\r", "\r\n", "\0"] {
                var configuration = HTTPClient.Configuration()
                configuration.userAgent = "me\(end)X-A: y"
                configuration.proxy = HTTPProxy(
                    host: address.host, port: address.port, authorization: "Basic x\(end)X-B: y")
                let transport = HTTPTransport(secure: { stream, _ in stream })
                let client = HTTPClient(configuration, transport: transport, on: loop)
                _ = try? await client.get("\(scheme)://one.example/").bytes()
                await client.close()
            }
        }
        #expect(seen.value.count { $0.contains("X-A: y") } == 4 && seen.value.count { $0.contains("X-B: y") } == 4)
        for line in seen.value {
            #expect(!line.hasPrefix("X-") && !line.utf8.contains(0) && !line.utf8.contains(13), "\(line)")
        }
    }

    @Test func passwordsInURLsAreNotTold() throws {
        try onLoop { loop in
            let client = HTTPClient(on: loop)
            for url in [
                "https://user:secret@example.org/", "https://secret@example.org", "user:secret@example.org/",
                "http://user:se@cret@example.org/?a=b@c", "ftp://user:sec/cret@example.org/", "//u:secret@a",
            ] {
                for ask in [client.get(_:fields:), { url, _ in try await client.post(url, body: .bytes([])) }] {
                    let error = await #expect(throws: HTTPClientError.self) { _ = try await ask(url, [:]) }
                    let text = try #require(error).description + "\(String(reflecting: error))"
                    #expect(error?.kind == .badURL && !text.contains("cret") && !text.contains("user"), "\(text)")
                }
                let error = await #expect(throws: HTTPClientError.self) { _ = try await client.webSocket(url) }
                #expect(!(try #require(error).description.contains("cret")))
            }
            let request = HTTPRequest(method: .get, scheme: "https", authority: "u:secret@example.org", path: "/")
            let error = await #expect(throws: HTTPClientError.self) { _ = try await client.send(request) }
            #expect(error?.subject == "https://…@example.org/")
            await client.close()
        }
    }

    @Test func errorsStandOnOneLine() throws {
        let error = HTTPClientError(.badURL, "http://a/\u{1B}[2J\r\nroot: x", "no\u{2028}URL ä")
        #expect(error.description == #"http://a/\u{1B}[2J\r\nroot: x: no\u{2028}URL ä"#)
        #expect(WebSocketError(.closed, .normal, "a\nb").description.hasSuffix(#"a\nb"#))
    }

    @Test func leavingAnAnswerInTheMiddleResets() throws {
        let ends = Shared<[UVError.Code?]>([])
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nonly this")
            var end: UVError.Code?
            do { _ = try await connection.readToEnd() } catch let error as UVError { end = error.code }
            ends.change { [end] in $0.append(end) }
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            for try await _ in try await client.get(url).body { break }
            while ends.value.count < 1 { try await loop.waitUntilIdle() }
            await #expect(throws: HTTPClientError.self) { try await client.get(url).bytes(limit: 100) }
            while ends.value.count < 2 { try await loop.waitUntilIdle() }
            #expect(ends.value == [.connectionReset, .connectionReset])
        }
    }

    @Test func anAnswerThatIsDroppedAfterItsLoop() throws {
        try withoutDescriptorLeak {
            let response = try EventLoop.run { loop in
                let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
                let serving = loop.spawn {
                    try await listener.serve(onError: { _, _ in }) { connection in
                        _ = try await connection.readHead()
                        try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    }
                }
                let response = try await HTTPClient(on: loop).get("http://\(listener.localAddress)")
                await listener.close()
                serving.cancel()
                _ = await serving.result
                return response
            }
            #expect(response.status == .ok)
        }
    }

    @Test func theTimeForAnAnswerCountsFromTheEndOfTheRequest() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            _ = try await connection.read(exactly: 4)
            try await connection.loop.sleep(for: .milliseconds(200 * patience))
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        } _: { loop, url async throws in
            var configuration = HTTPClient.Configuration()
            configuration.responseTimeout = .milliseconds(400 * patience)
            let body = HTTPClientBody.pieces(length: 4) { writer in
                try await loop.sleep(for: .milliseconds(300 * patience))
                try await writer.write("slow")
            }
            #expect(try await HTTPClient(configuration, on: loop).post(url, body: body).text() == "ok")
        }
    }

    @Test func answersThatNobodyReadsHoldTheOthers() throws {
        try withSite { _, response in
            try await response.send(text: "hello")
        } _: { loop, url async throws in
            var configuration = HTTPClient.Configuration()
            (configuration.connectionsPerServer, configuration.waitTimeout) = (1, .milliseconds(20))
            let client = HTTPClient(configuration, on: loop)
            let first = try await client.get(url)
            let error = await #expect(throws: HTTPClientError.self) { try await client.get(url) }
            #expect(error?.kind == .waitTimeout)
            #expect(try await first.text() == "hello")
            #expect(try await client.get(url).text() == "hello")
            await client.close()
        }
    }
}
