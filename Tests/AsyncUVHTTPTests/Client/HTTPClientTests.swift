import AsyncTestSupport
import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import TestSupport
import Testing
import UV

/// The client and our own server, or a peer that does what a test says.
@Suite(.ownThread) struct HTTPClientTests {
    /// Expects an error of the client.
    private static func expectError<Value>(
        _ kind: HTTPClientError.Kind, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> Value
    ) async {
        let error = await #expect(throws: HTTPClientError.self, sourceLocation: sourceLocation) { _ = try await body() }
        #expect(error?.kind == kind, sourceLocation: sourceLocation)
    }

    /// A peer that answers every request of every connection with the same bytes.
    private static func answering(_ answer: String, closes: Bool = false)
        -> @Sendable (TCPConnection, Int) async throws -> Void
    {
        { connection, _ in
            while try await connection.readHead() != nil {
                try await connection.write(answer)
                if closes { return }
            }
        }
    }

    private static func configuration(_ change: (inout HTTPClient.Configuration) -> Void) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        change(&configuration)
        return configuration
    }

    // MARK: Answers

    @Test func requestsOfAllKindsOnOneConnection() throws {
        let server = HTTPServer()
        try withSite(server) { request, response in
            let body = try await request.body.collectText()
            if request.head.method == .delete { return try await response.send(.noContent) }
            if request.head.path == "/chunks" {
                return try await response.stream { writer in for _ in 0..<3 { try await writer.write("piece ") } }
            }
            try await response.send(text: "\(request.head.method) \(request.head.path ?? "") \(body)")
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            #expect(try await client.get(url).text() == "GET / ")
            #expect(try await client.get(url + "/a?b").text() == "GET /a?b ")
            #expect(try await client.post(url + "/p", body: .text("sent")).text() == "POST /p sent")
            let head = try await client.send(
                HTTPRequest(method: .head, scheme: "http", authority: String(url.dropFirst(7)), path: "/h"))
            #expect(head.fields[.contentLength] == "8")
            #expect(try await head.bytes().isEmpty)
            let to = try #require(HTTPURL(url))
            let deleted = try await client.send(.delete, to: to)
            #expect(deleted.status == .noContent)
            #expect(try await deleted.text() == "")
            #expect(try await client.get(url + "/chunks").text() == "piece piece piece ")
            let pieces = HTTPClientBody.pieces { writer in
                for word in ["a", "", "bc", "d"] { try await writer.write(word) }
            }
            #expect(try await client.send(.put, to: to, body: pieces).text() == "PUT / abcd")
            let known = HTTPClientBody.pieces(length: 4) { writer in try await writer.write("four") }
            #expect(try await client.send(.put, to: to, body: known).text() == "PUT / four")
            #expect(server.statistics.connections == 1)
            #expect(client.idleConnectionCount == 1)
            await client.close()
            await Self.expectError(.closed) { try await client.get(url) }
        }
    }

    @Test func largeBodiesBothWays() throws {
        var limits = HTTPLimits()
        limits.body = 64 << 20
        try withSite(HTTPServer(limits: limits)) { request, response in
            try await response.stream(length: request.body.length) { writer in
                for try await piece in request.body { try await writer.write(piece) }
            }
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            let bytes = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            #expect(try await client.post(url, body: .bytes(bytes)).bytes() == bytes)
            let pieces = HTTPClientBody.pieces { writer in
                for start in stride(from: 0, to: bytes.count, by: 100_000) {
                    try await writer.write(Array(bytes[start..<min(start + 100_000, bytes.count)]))
                }
            }
            #expect(try await client.post(url, body: pieces).bytes() == bytes)
            #expect(client.idleConnectionCount == 1)
            await client.close()
        }
    }

    @Test func answersOfEachForm() throws {
        let answers: [(String, String, Bool)] = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true),
            ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", "", true),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", true),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "hello", false),
            ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false),
            ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", false),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "ok", true
            ),
            // What comes behind an answer is nobody's: the connection is not used again.
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
                "hello", false
            ),
        ]
        for (answer, body, isKept) in answers {
            try withPeer(Self.answering(answer, closes: !isKept)) { loop, url async throws in
                let client = HTTPClient(on: loop)
                for _ in 0..<2 {
                    #expect(try await client.get(url).text() == body, "\(answer)")
                    #expect(client.idleConnectionCount == (isKept ? 1 : 0), "\(answer)")
                }
                await client.close()
            }
        }
    }

    @Test func trailersComeBehindTheBody() throws {
        let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nDigest: x\r\n\r\n"
        try withPeer(Self.answering(answer)) { loop, url async throws in
            let client = HTTPClient(on: loop)
            let response = try await client.get(url)
            #expect(response.trailers.isEmpty)
            #expect(try await response.text() == "hi")
            #expect(response.trailers[try #require(HTTPField.Name("Digest"))] == "x")
            await client.close()
        }
    }

    @Test func everySplitOfAnAnswer() throws {
        let answer = Array(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                .utf8)
        try withPeer { connection, _ in
            var split = 0
            while try await connection.readHead() != nil {
                try await connection.write(answer[..<split])
                for _ in 0..<20 { await Task.yield() }
                try await connection.write(answer[split...])
                split += 1
            }
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            for split in 0...answer.count { #expect(try await client.get(url).text() == "abc", "\(split)") }
            await client.close()
        }
    }

    // MARK: What goes wrong

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le", "",
    ])
    func truncatedAnswers(_ answer: String) throws {
        try withPeer(Self.answering(answer, closes: true)) { loop, url async throws in
            let client = HTTPClient(on: loop)
            await Self.expectError(.truncated) { try await client.get(url).text() }
            #expect(client.idleConnectionCount == 0)
        }
    }

    @Test(arguments: [
        "HTTP/2 200\r\n\r\n", "hello\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    ])
    func wrongAnswers(_ answer: String) throws {
        try withPeer(Self.answering(answer)) { loop, url async throws in
            let client = HTTPClient(on: loop)
            await Self.expectError(.badResponse) { try await client.get(url).text() }
            #expect(client.idleConnectionCount == 0)
        }
    }

    @Test func anAnswerWithoutEndOfInformation() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            while true { try await connection.write("HTTP/1.1 102 Processing\r\n\r\n") }
        } _: { loop, url async throws in
            await Self.expectError(.badResponse) { try await HTTPClient(on: loop).get(url) }
        }
    }

    @Test func slowServers() throws {
        try withPeer { connection, _ in
            let head = try await connection.readHead()
            if head?.first?.contains("/body") == true {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            }
            _ = try await connection.read()
        } _: { loop, url async throws in
            let hasty = HTTPClient(Self.configuration { $0.responseTimeout = .milliseconds(20) }, on: loop)
            await Self.expectError(.responseTimeout) { try await hasty.get(url) }
            // One that has time for the head, however busy the machine is.
            let client = HTTPClient(Self.configuration { $0.bodyTimeout = .milliseconds(20) }, on: loop)
            let response = try await client.get(url + "/body")
            await Self.expectError(.bodyTimeout) { try await response.text() }
        }
    }

    @Test func connectionsThatAreNotMade() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let url = "http://\(listener.localAddress)"
            await listener.close()
            await expectRefused(listener.localAddress)
            await TestSupport.expectError(.connectionRefused) { try await HTTPClient(on: loop).get(url) }
            let never = HTTPTransport(connect: { _, _, loop in
                try await loop.sleep(for: .seconds(3_600))
                throw CancellationError()
            })
            let client = HTTPClient(
                Self.configuration { $0.connectTimeout = .milliseconds(20) }, transport: never, on: loop)
            await Self.expectError(.connectTimeout) { try await client.get(url) }
            await Self.expectError(.badURL) { try await client.get("example.org") }
            await Self.expectError(.noSecurity) { try await client.get("https://127.0.0.1/") }
        }
    }

    @Test func bodiesBeyondTheirLimit() throws {
        try withPeer(Self.answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")) { loop, url async throws in
            let client = HTTPClient(on: loop)
            await Self.expectError(.bodyTooLong) { try await client.get(url).bytes(limit: 4) }
            #expect(try await client.get(url).bytes(limit: 5).count == 5)
            await client.close()
        }
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
        try withPeer(Self.answering(chunks)) { loop, url async throws in
            let client = HTTPClient(on: loop)
            await Self.expectError(.bodyTooLong) { try await client.get(url).bytes(limit: 4) }
            #expect(try await client.get(url).bytes(limit: 5).count == 5)
            await client.close()
        }
    }

    // MARK: Connections

    @Test func aConnectionThatTheServerEndsIsForgotten() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            for _ in 0..<20 {
                #expect(try await client.post(url, body: .text("x")).text() == "ok")
                while client.idleConnectionCount > 0 { try await loop.waitUntilIdle() }
            }
        }
    }

    /// The server ends a connection just when the next request is on its way.
    @Test func staleConnections() throws {
        try withPeer { connection, number in
            // Of the third connection on, all requests are answered.
            var left = number < 3 ? 1 : Int.max
            while let head = try await connection.readHead(), left > 0 {
                left -= 1
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(head[0].utf8.count)\r\n\r\n\(head[0])")
            }
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            #expect(try await client.get(url + "/1").text() == "GET /1 HTTP/1.1")
            // Read, and not answered: it is sent again on a new one.
            #expect(try await client.get(url + "/2").text() == "GET /2 HTTP/1.1")
            // Nobody knows whether it was carried out.
            await Self.expectError(.truncated) { try await client.post(url + "/3", body: .none) }
            #expect(try await client.post(url + "/4", body: .none).text() == "POST /4 HTTP/1.1")
            await client.close()
        }
    }

    @Test func aNewConnectionIsNotTriedAgain() throws {
        let count = Shared(0)
        try withPeer { connection, number in
            count.value = number
            _ = try await connection.readHead()
        } _: { loop, url async throws in
            await Self.expectError(.truncated) { try await HTTPClient(on: loop).get(url) }
            #expect(count.value == 1)
        }
    }

    @Test func connectionsAreLimitedAndOthersWait() throws {
        let server = HTTPServer()
        let now = Shared((current: 0, most: 0))
        try withSite(server) { _, response in
            now.change { $0 = ($0.current + 1, max($0.most, $0.current + 1)) }
            for _ in 0..<50 { await Task.yield() }
            now.change { $0.current -= 1 }
            try await response.send(text: "ok")
        } _: { loop, url async throws in
            let client = HTTPClient(Self.configuration { $0.connectionsPerServer = 3 }, on: loop)
            try await withThrowingTaskGroup { group in
                for _ in 0..<40 {
                    group.addTask(executorPreference: loop) {
                        let text = try await client.get(url).text()
                        #expect(text == "ok")
                    }
                }
                try await group.waitForAll()
            }
            #expect(now.value.most <= 3)
            #expect(server.statistics.connections <= 3)
            #expect(client.idleConnectionCount <= 3)
            await client.close()
        }
    }

    @Test func droppingAnAnswerClosesItsConnection() throws {
        let ended = Shared(0)
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nonly this")
            // The client goes, and its place is free again.
            _ = try? await connection.readToEnd()
            ended.change { $0 += 1 }
        } _: { loop, url async throws in
            let client = HTTPClient(Self.configuration { $0.connectionsPerServer = 1 }, on: loop)
            for number in 1...3 {
                for try await _ in try await client.get(url).body { break }
                while ended.value < number { try await loop.waitUntilIdle() }
            }
        }
    }

    @Test func cancellation() throws {
        let ended = Shared(0)
        try withPeer { connection, _ in
            let head = try await connection.readHead()
            if head?.first?.contains("/body") == true {
                try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            }
            _ = try? await connection.readToEnd()
            if head?.first?.contains("/later") == true { try await connection.write("lo") }
            ended.change { $0 += 1 }
        } _: { loop, url async throws in
            let client = HTTPClient(on: loop)
            for path in ["/head", "/body"] {
                let task = loop.spawn { try await client.get(url + path).text() }
                for _ in 0..<10 { try await loop.waitUntilIdle() }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                while ended.value == 0 { try await loop.waitUntilIdle() }
                ended.value = 0
            }
            #expect(client.idleConnectionCount == 0)
        }
    }

    @Test func aCancelledReadOfABodyCanGoOn() throws {
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
            while !Task.isCancelled, try await connection.read(upTo: 1) != nil {}
        } _: { loop, url async throws in
            let client = HTTPClient(Self.configuration { $0.bodyTimeout = .milliseconds(10) }, on: loop)
            let response = try await client.get(url)
            let pieces = response.body.makeAsyncIterator()
            #expect(try await pieces.next() == Array("he".utf8))
            await Self.expectError(.bodyTimeout) { try await pieces.next() }
            let body = response.body
            let task = loop.spawn { try await body.makeAsyncIterator().next() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            await Self.expectError(.bodyTimeout) { try await pieces.next() }
        }
    }

    /// Right answers with a few bytes changed: an answer or an error, and the client goes on.
    @Test func brokenAnswers() throws {
        let right = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
            "HTTP/1.1 301 Moved\r\nLocation: ../a?b#c\r\nContent-Length: 0\r\n\r\n",
        ].map { Array($0.utf8) }
        try withPeer { connection, number in
            var random = SeededGenerator(seed: UInt64(number))
            while try await connection.readHead() != nil {
                var bytes = right.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 0...3, using: &random) {
                    let index = Int.random(in: 0..<bytes.count, using: &random)
                    if Bool.random(using: &random) {
                        bytes.remove(at: index)
                    } else {
                        bytes[index] = UInt8.random(in: 0...255, using: &random)
                    }
                }
                let split = Int.random(in: 0...bytes.count, using: &random)
                try await connection.write(bytes[..<split])
                await Task.yield()
                try await connection.write(bytes[split...])
                if Int.random(in: 0..<4, using: &random) > 0 { return }
            }
        } _: { loop, url async throws in
            let client = HTTPClient(
                Self.configuration {
                    $0.responseTimeout = .milliseconds(5)
                    $0.bodyTimeout = .milliseconds(5)
                    $0.connectionsPerServer = 1
                    $0.redirects = 3
                }, on: loop)
            var answers = 0
            for _ in 0..<600 {
                do { answers += try await client.get(url).bytes().isEmpty ? 0 : 1 } catch is HTTPClientError {
                } catch is UVError {}
            }
            #expect(answers > 50)
            await client.close()
        }
    }

    /// Requests that are given up at any moment take no seat with them.
    @Test func manyThatAreCancelled() throws {
        try withSite { request, response in
            for _ in 0..<3 { await Task.yield() }
            try await response.send(.ok, [:], [UInt8](repeating: 1, count: 200_000))
        } _: { loop, url async throws in
            let client = HTTPClient(Self.configuration { $0.connectionsPerServer = 2 }, on: loop)
            var random = SeededGenerator(seed: 5)
            for _ in 0..<200 {
                let tasks = (0..<4).map { _ in loop.spawn { try await client.get(url).bytes().count } }
                for _ in 0..<Int.random(in: 0...60, using: &random) { await Task.yield() }
                for task in tasks where Bool.random(using: &random) { task.cancel() }
                for task in tasks {
                    if case .success(let count) = await task.result { #expect(count == 200_000) }
                }
            }
            #expect(try await client.get(url).bytes().count == 200_000)
            await client.close()
        }
    }

    @Test func aClientThatIsDroppedClosesItsConnections() throws {
        let ended = Shared(0)
        try withPeer { connection, _ in
            _ = try await connection.readHead()
            try await connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try await connection.readHead()
            ended.change { $0 += 1 }
        } _: { loop, url async throws in
            for number in 1...3 {
                _ = try await HTTPClient(on: loop).get(url).bytes()
                while ended.value < number { try await loop.waitUntilIdle() }
            }
        }
    }

    @Test func callersOnOtherThreads() async throws {
        let loop = try EventLoop()
        let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
        let serving = loop.spawn {
            try await HTTPServer().serve(listener) { request, response in
                try await response.send(text: request.head.path ?? "")
            }
        }
        let url = "http://\(listener.localAddress)"
        let client = HTTPClient(on: loop)
        try await withThrowingTaskGroup { group in
            for number in 0..<50 {
                group.addTask {
                    let text = try await client.get(url + "/\(number)").text()
                    #expect(text == "/\(number)")
                }
            }
            try await group.waitForAll()
        }
        await client.close()
        await listener.close()
        serving.cancel()
        _ = await serving.result
        await loop.shutdown()
    }
}
