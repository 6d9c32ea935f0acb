import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// The server over real connections.
@Suite(.ownThread, .inTurn) struct ServerTests {
    private static let close = "Host: a\r\nConnection: close\r\n\r\n"

    @Test func answersInOrder() throws {
        try withServer { request, response in
            try await response.send(.ok, [.eTag: "\"1\""], text: "\(request.head.path ?? "")\n")
        } _: { serving in
            let get = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
            let text = try await serving.answers(get + "\r\n" + get + "GET /22 HTTP/1.1\r\n" + Self.close + get)
            let first =
                "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n\r\n/1\n"
            #expect(
                undated(text) == first + first
                    + "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 4\r\nConnection: close\r\n\r\n/22\n"
            )
            #expect(text.matches(of: /Date: \w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT\r\n/).count == 3)
            let statistics = serving.server.statistics
            #expect(statistics.connections == 1 && statistics.requests == 3 && statistics.refusals == 0)
        }
    }

    @Test func readsBodiesAndDropsWhatIsLeft() throws {
        try withServer { request, response in
            if request.head.path == "/drop" { return try await response.send(.noContent) }
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            let text = try await serving.answers(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                    + "POST /drop HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\nGET / HTTP/1.1\r\n"
                    + "POST /drop HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                    + "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + "Host: a\r\nConnection: close\r\n\r\n"
                    + "3\r\nabc\r\n1\r\n!\r\n0\r\n\r\n")
            #expect(text.matches(of: /HTTP\/1.1 (\d+)/).map(\.1) == ["200", "204", "204", "200"])
            #expect(text.contains("\r\n\r\nhelloHTTP") && text.hasSuffix("\r\n\r\nabc!"))
            #expect(!text.contains("204 No Content\r\nContent-Length"))
        }
    }

    @Test("Fields behind bodies, both ways")
    func trailers() throws {
        try withServer { request, response in
            _ = try await request.body.collect()
            let sum = request.trailers[HTTPField.Name("x-sum")!] ?? "none"
            try await response.stream { writer in
                try await writer.write("body")
                try await writer.finish(trailers: [HTTPField.Name("x-seen")!: sum, .contentLength: "7"])
            }
        } _: { serving in
            let text = try await serving.answers(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 42\r\n\r\n"
                    + "GET / HTTP/1.1\r\n" + Self.close)
            let body = "\r\n\r\n4\r\nbody\r\n0\r\nx-seen: "
            #expect(text.contains(body + "42\r\n\r\nHTTP/1.1 200") && text.hasSuffix(body + "none\r\n\r\n"), "\(text)")
        }
    }

    @Test func tellsToContinueWhenTheBodyIsRead() throws {
        try withServer { request, response in
            if request.head.path == "/no" { return try await response.send(.forbidden) }
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            let fields = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            let client = try await serving.connect()
            try await client.write("PUT /" + fields)
            #expect(try await client.readLine() == "HTTP/1.1 100 Continue")
            #expect(try await client.readLine() == "")
            try await client.write("hi")
            #expect(try await client.readLine() == "HTTP/1.1 200 OK")
            await client.close()
            // Nobody knows whether the body comes.
            let refused = try await serving.answers("PUT /no" + fields)
            #expect(refused.hasPrefix("HTTP/1.1 403") && refused.contains("Connection: close\r\n"))
            // A client that does not wait needs no word.
            let text = try await serving.answers("PUT /" + fields + "hi" + "GET / HTTP/1.1\r\n" + Self.close)
            #expect(text.matches(of: /HTTP\/1.1 (\d+)/).map(\.1) == ["200", "200"])
            // HTTP/1.0 does not know it.
            let old = try await serving.answers("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
            #expect(old.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func streamsInChunksOrToTheEnd() throws {
        try withServer { request, response in
            switch request.head.path {
            case "/length": try await response.stream(length: 5) { try await $0.write("hello") }
            case "/field": try await response.stream(.ok, [.contentLength: "2"]) { try await $0.write("ok") }
            default:
                try await response.stream(.ok, [.contentType: "text/event-stream"]) { writer in
                    for text in ["one", "", "two"] { try await writer.write(text) }
                    try await writer.write([UInt8](repeating: 0x61, count: 20_000))
                }
            }
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            let long = String(repeating: "a", count: 20_000)
            #expect(
                undated(text) == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
                    + "Connection: close\r\n\r\n3\r\none\r\n3\r\ntwo\r\n4e20\r\n\(long)\r\n0\r\n\r\n")
            let old = try await serving.answers("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(undated(old).hasSuffix("Connection: close\r\n\r\nonetwo\(long)") && !old.contains("Transfer-"))
            #expect(try await serving.answers("GET /length HTTP/1.1\r\n" + Self.close).hasSuffix("\r\n\r\nhello"))
            #expect(try await serving.answers("GET /field HTTP/1.1\r\n" + Self.close).contains("Content-Length: 2\r\n"))
            let head = try await serving.answers(
                "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /length HTTP/1.1\r\n" + Self.close)
            #expect(
                undated(head)
                    == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
        }
    }

    @Test func hasNoBodyWhereThereMustBeNone() throws {
        try withServer { request, response in
            switch request.head.path {
            case "/304": try await response.send(.notModified, [.contentLength: "7"], [1, 2, 3])
            case "/204": try await response.send(.noContent, [.contentLength: "7"], [1, 2, 3])
            case "/stream": try await response.stream(.notModified) { try await $0.write("no") }
            case "/length": try await response.send(.ok, [.contentLength: "1000"])
            default: try await response.send(.ok, [.transferEncoding: "gzip", .contentLength: "99"], [0x61])
            }
        } _: { serving in
            var text = ""
            for path in ["/304", "/204", "/stream", "/"] { text += "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }
            text += "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + "HEAD /length HTTP/1.1\r\n" + Self.close
            let answers = undated(try await serving.answers(text))
            #expect(
                answers == "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
                    + "HTTP/1.1 204 No Content\r\n\r\n" + "HTTP/1.1 304 Not Modified\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na" + "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n")
        }
    }

    @Test func knowsHowLongAConnectionIsKept() throws {
        try withServer { request, response in
            let fields: HTTPFields = request.head.path == "/close" ? [.connection: "Close"] : [:]
            try await response.send(.ok, fields)
        } _: { serving in
            let old = try await serving.answers(
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n")
            #expect(
                undated(old) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"
                    + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            let closed = try await serving.answers(
                "GET /close HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(undated(closed) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
    }

    @Test func fieldsCannotEndALine() throws {
        try withServer { _, response in
            let head = HTTPPreparedHead(.movedPermanently, [.location: "/a\r\nX: y", .date: "today"])
            try await response.send(head, [0x61])
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            #expect(
                text == "HTTP/1.1 301 Moved Permanently\r\nLocation: /a  X: y\r\nDate: today\r\nContent-Length: 1\r\n"
                    + "Connection: close\r\n\r\na")
        }
    }

    // MARK: What goes wrong

    @Test func refusesWhatIsNoRequest() throws {
        try withServer { _, response in
            try await response.send()
        } _: { serving in
            for (text, code) in [
                ("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", "400"), ("GET / HTTP/2.0\r\n\r\n", "505"),
                ("\u{16}\u{3}\u{1}\n", "400"),
                ("GET /\(String(repeating: "x", count: 9_000)) HTTP/1.1\r\n\r\n", "414"),
                ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "A: b\r\n", count: 101))\r\n", "431"),
                ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501"),
                (
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
                    "400"
                ),
                ("POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", "417"),
            ] {
                let answer = try await serving.answers("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + text)
                #expect(answer.matches(of: /HTTP\/1.1 (\d+)/).map(\.1) == ["200", Substring(code)], "\(text)")
                #expect(answer.contains("Connection: close\r\n"))
            }
            #expect(serving.server.statistics.refusals == 8 && serving.thrown.isEmpty)
        }
    }

    @Test func tellsWhatHandlersThrow() throws {
        struct Broken: Error {}
        try withServer { request, response in
            switch request.head.path {
            case "/refusal": throw HTTPRefusal(.notFound, "there is no such thing")
            case "/odd": throw HTTPRefusal(.ok, "all is well")
            case "/busy":
                throw HTTPRefusal(
                    .serviceUnavailable, "{}", fields: [.retryAfter: "7", .contentType: "application/json"])
            case "/none": return
            case "/twice":
                try await response.send()
                try await response.send()
            case "/status": try await response.send(.continue)
            case "/half":
                try await response.stream { writer in
                    try await writer.write("half")
                    throw Broken()
                }
            case "/short": try await response.stream(length: 3) { try await $0.write("ab") }
            case "/long": try await response.stream(length: 3) { try await $0.write("abcd") }
            default: throw Broken()
            }
        } _: { serving in
            let get = "HTTP/1.1\r\nHost: a\r\n\r\n"
            let refused = try await serving.answers("GET /refusal \(get)GET /odd \(get)GET /broken \(get)GET / \(get)")
            #expect(refused.matches(of: /HTTP\/1.1 (\d+)/).map(\.1) == ["404", "500", "500"])
            #expect(refused.contains("404 Not Found: there is no such thing\n") && !refused.contains("Broken"))
            let busy = try await serving.answers("GET /busy HTTP/1.1\r\n" + Self.close)
            #expect(busy.hasPrefix("HTTP/1.1 503") && busy.contains("\r\nRetry-After: 7\r\n"))
            #expect(busy.contains("application/json") && !busy.contains("text/plain"))
            #expect(try await serving.answers("GET /none \(get)").hasPrefix("HTTP/1.1 500"))
            #expect(try await serving.answers("GET /twice \(get)").matches(of: /HTTP/).count == 1)
            #expect(try await serving.answers("GET /status \(get)").hasPrefix("HTTP/1.1 500"))
            // No last chunk: the client knows.
            #expect(try await serving.answers("GET /half \(get)").hasSuffix("4\r\nhalf\r\n"))
            #expect(try await serving.answers("GET /short \(get)").hasSuffix("\r\n\r\nab"))
            #expect(try await serving.answers("GET /long \(get)").hasSuffix("\r\n\r\n"))
            let client = try await serving.connect()
            try await client.write("GET /half HTTP/1.0\r\n\r\n")
            await expectError(.connectionReset) { while try await client.read() != nil {} }
            await client.close()
            #expect(
                serving.thrown == [
                    "Broken()", "a handler has ended without an answer", "a request was answered twice",
                    "status 100 cannot be sent in this way", "Broken()",
                    "an answer of 3 bytes was promised, and 2 bytes were written",
                    "an answer of 3 bytes was promised, and 4 bytes were written", "Broken()",
                ])
        }
    }

    @Test func aPieceThatWasCancelledEndsTheAnswer() throws {
        try withServer { request, response in
            try await response.stream(length: 200) { writer in
                try await writer.write([UInt8](repeating: 0x61, count: 100))
                let second = Task { try await writer.write([UInt8](repeating: 0x62, count: 100)) }
                second.cancel()
                // Swallowed, as people do.
                _ = await second.result
            }
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n" + Self.close)
            #expect(text.matches(of: /HTTP/).count == 1 && text.hasSuffix(String(repeating: "a", count: 100)))
            #expect(serving.thrown == ["\(HTTPServerError.unfinished)"])
        }
    }

    @Test func limitsBodies() throws {
        var limits = HTTPLimits()
        limits.body = 10
        try withServer(HTTPServer(limits: limits)) { request, response in
            let body = request.head.path == "/more" ? request.body.limited(to: 20) : request.body
            try await response.send(text: "\(try await body.collect().count)")
        } _: { serving in
            let fields = " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            func post(_ path: String, _ count: Int) async throws -> String {
                try await serving.answers(
                    "POST \(path)\(fields)Content-Length: \(count)\r\n\r\n\(String(repeating: "x", count: count))")
            }
            func chunks(_ path: String, _ count: Int) async throws -> String {
                let chunks = String(repeating: "1\r\nx\r\n", count: count)
                return try await serving.answers(
                    "POST \(path)\(fields)Transfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n")
            }
            #expect(try await post("/", 10).hasSuffix("10"))
            #expect(try await post("/", 11).hasPrefix("HTTP/1.1 413"))
            #expect(try await post("/more", 20).hasSuffix("20"))
            #expect(try await post("/more", 21).hasPrefix("HTTP/1.1 413"))
            #expect(try await chunks("/", 10).hasSuffix("10"))
            #expect(try await chunks("/", 11).hasPrefix("HTTP/1.1 413"))
            #expect(try await chunks("/more", 20).hasSuffix("20"))
            #expect(try await chunks("/more", 21).hasPrefix("HTTP/1.1 413"))
            // Nothing of it is asked for.
            let expecting = try await serving.answers(
                "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
            #expect(expecting.hasPrefix("HTTP/1.1 413"))
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test func aBodyThatIsCut() throws {
        try withServer { request, response in
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            for text in ["Content-Length: 5\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
                let client = try await serving.connect()
                try await client.write("POST / HTTP/1.1\r\nHost: a\r\n\(text)")
                try await client.finishWriting()
                #expect(String(decoding: try await client.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 400"))
                await client.close()
            }
            let bad = try await serving.answers(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n")
            #expect(bad.hasPrefix("HTTP/1.1 400") && bad.contains("Connection: close"))
            #expect(serving.thrown.isEmpty)
        }
    }

    // MARK: Time

    @Test func endsWhoIsTooSlow() throws {
        let server = HTTPServer(patience: .milliseconds(200))
        try withServer(server, idleTimeout: .milliseconds(400)) { request, response in
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            // Silence: no answer.
            #expect(try await serving.answers("") == "")
            #expect(try await serving.answers("\r\n") == "")
            // A head that does not come, although something comes all the time.
            let slow = try await serving.connect()
            let drips = slow.loop.spawn {
                for byte
                    in "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
                    .utf8
                {
                    try await slow.write([byte])
                    try await slow.loop.sleep(for: .milliseconds(20))
                }
            }
            #expect(try await slow.readLine() == "HTTP/1.1 408 Request Timeout")
            drips.cancel()
            await slow.close()
            #expect(
                try await serving.answers("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").hasPrefix(
                    "HTTP/1.1 408"))
            #expect(serving.server.statistics.timeouts == 4 && serving.thrown.isEmpty)
        }
    }

    @Test func aHandlerThatTakesItsTimeCostsTheClientNothing() throws {
        let server = HTTPServer(patience: .milliseconds(50 * patience))
        try withServer(server, idleTimeout: nil) { request, response in
            try await EventLoop.current?.sleep(for: .milliseconds(120 * patience))
            try await response.send(text: try await request.body.collectText())
        } _: { serving in
            let client = try await serving.connect()
            try await client.write(
                "POST / HTTP/1.1\r\n" + "Host: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")
            #expect(String(decoding: try await client.readToEnd(), as: UTF8.self).hasSuffix("hello"))
            await client.close()
        }
    }

    @Test func makesRoomForNewClients() throws {
        try withServer(maxConnections: 3) { _, response in
            try await response.send()
        } _: { serving in
            var waiting: [TCPConnection] = []
            for _ in 0..<3 {
                let client = try await serving.connect()
                try await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.readLine() == "HTTP/1.1 200 OK")
                waiting.append(client)
            }
            // The last answer has left before the last client waits again.
            try await waiting[2].loop.sleep(for: .milliseconds(5))
            #expect(try await serving.answers("GET / HTTP/1.1\r\n" + Self.close).hasPrefix("HTTP/1.1 200"))
            while try await waiting[0].read() != nil {}
            #expect(serving.server.statistics.displaced == 1 && serving.thrown.isEmpty)
            for client in waiting { await client.close() }
        }
    }

    @Test func drains() throws {
        let began = Channel<Int>(capacity: 1, on: .shared), goOn = Channel<Int>(capacity: 1, on: .shared)
        try withServer { request, response in
            if request.head.path == "/slow" {
                try await began.send(1)
                _ = try await goOn.next()
            }
            try await response.send()
        } _: { serving in
            let idle = try await serving.connect()
            try await idle.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try await idle.readLine() == "HTTP/1.1 200 OK")
            let busy = try await serving.connect()
            try await busy.write("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await began.next()
            await serving.listener.close()
            while try await idle.read() != nil {}
            try await goOn.send(1)
            let text = String(decoding: try await busy.readToEnd(), as: UTF8.self)
            #expect(undated(text) == "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await idle.close()
            await busy.close()
        }
    }

    // MARK: Other ways

    @Test func handsTheConnectionOver() throws {
        try withServer { request, response in
            if request.head.path == "/body" { return try await response.upgrade { _ in } }
            try await response.upgrade([.upgrade: "echo"]) { stream in
                while let bytes = try await stream.read() { try await stream.write(bytes) }
            }
        } _: { serving in
            for request in [
                "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n",
                "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
            ] {
                let client = try await serving.connect()
                // What comes with the head belongs to the other protocol.
                try await client.write(request + "GET / HT")
                let status = try await client.readLine()
                let isConnect = request.hasPrefix("CONNECT")
                #expect(status == (isConnect ? "HTTP/1.1 200 OK" : "HTTP/1.1 101 Switching Protocols"))
                var lines: [String] = []
                while let line = try await client.readLine(), line != "" { lines.append(line) }
                #expect(isConnect || lines == ["Upgrade: echo", "Connection: Upgrade"])
                #expect(String(decoding: try await client.read(exactly: 8), as: UTF8.self) == "GET / HT")
                try await client.write("more")
                #expect(String(decoding: try await client.read(exactly: 4), as: UTF8.self) == "more")
                try await client.finishWriting()
                #expect(try await client.read() == nil)
                await client.close()
            }
            #expect(serving.thrown.isEmpty)
            let text = try await serving.answers("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            #expect(text.hasPrefix("HTTP/1.1 500") && serving.thrown == ["\(HTTPServerError.bodyUnread)"])
        }
    }

    @Test func informsBeforeTheAnswer() throws {
        try withServer { _, response in
            try await response.inform(.init(code: 103, reasonPhrase: "Early Hints"), [.init("Link")!: "</a>"])
            try await response.send()
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            #expect(text.hasPrefix("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"))
            #expect(try await serving.answers("GET / HTTP/1.0\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func sendsFiles() throws {
        try withServer { request, response in
            let path = FilePath(String(request.head.path ?? ""))
            let file = try await File.open(path)
            let size = try await file.size()
            if request.head.headerFields.contains(.range) {
                try await response.send(HTTPPreparedHead(.partialContent), file, 2..<5)
            } else {
                try await response.send(.ok, [.contentType: "a/b"], file, 0..<size)
            }
        } _: { serving in
            let folder = try await FileSystem.makeTemporaryDirectory(prefix: "http-")
            for size in [0, 10, 16_384, 16_385, 700_000] {
                let path = folder.appending("\(size)")
                let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 | 0x40) & 0x7F }
                try await FileSystem.writeFile(path, bytes, durably: false)
                let text = try await serving.answers("GET \(path) HTTP/1.1\r\n" + Self.close)
                #expect(
                    undated(text)
                        == "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: \(size)\r\nConnection: close\r\n\r\n"
                        + String(decoding: bytes, as: UTF8.self))
                let head = try await serving.answers("HEAD \(path) HTTP/1.1\r\n" + Self.close)
                #expect(head.contains("Content-Length: \(size)\r\n") && head.hasSuffix("\r\n\r\n"))
                if size == 10 {
                    let part = try await serving.answers("GET \(path) HTTP/1.1\r\nRange: x\r\n" + Self.close)
                    #expect(part.hasSuffix("\r\n\r\n" + String(decoding: bytes[2..<5], as: UTF8.self)))
                }
            }
            try await FileSystem.remove(folder)
        }
    }

    @Test func whatIsOverCannotBeUsed() throws {
        let kept = Mutex<(HTTPServerRequest, HTTPServerResponse)?>(nil)
        try withServer { request, response in
            if request.head.path == "/keep" {
                kept.withLock { $0 = (request, response) }
                return try await response.send(text: "kept")
            }
            let (old, answer) = try #require(kept.withLock { $0 })
            await #expect(throws: HTTPServerError.isOver) { try await old.body.collect() }
            await #expect(throws: HTTPServerError.isOver) { try await answer.send() }
            await #expect(throws: HTTPServerError.isOver) { try await answer.stream { _ in } }
            #expect(answer.hasBegun && !response.hasBegun)
            try await response.send(text: "new")
        } _: { serving in
            let text = try await serving.answers(
                "POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\r\n" + Self.close)
            #expect(text.hasSuffix("new") && serving.thrown.isEmpty)
        }
    }

    @Test func servesFromOtherExecutorsAndBothWaysAtOnce() throws {
        try withServer { request, response in
            // On no loop at all.
            try await Task.detached {
                try await response.stream { writer in
                    for try await piece in request.body { try await writer.write(piece) }
                }
            }.value
        } _: { serving in
            let client = try await serving.connect()
            try await client.write("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + Self.close)
            #expect(try await client.readLine() == "HTTP/1.1 200 OK")
            while let line = try await client.readLine(), line != "" {}
            for word in ["one", "three"] {
                try await client.write("\(String(word.utf8.count, radix: 16))\r\n\(word)\r\n")
                #expect(try await client.readLine() == "\(word.utf8.count)")
                #expect(try await client.readLine() == word)
            }
            try await client.write("0\r\n\r\n")
            #expect(String(decoding: try await client.readToEnd(), as: UTF8.self) == "0\r\n\r\n")
            await client.close()
        }
    }

    @Test func servesLocalConnectionsAndStreams() throws {
        try inSocketFolder { folder in
            try EventLoop.run { loop in
                let server = HTTPServer()
                let listener = try await LocalListener.bind(to: LocalAddress(path: folder.appending("s")))
                let serving = loop.spawn {
                    try await server.serve(listener) { request, response in
                        #expect(request.remoteAddress == nil)
                        try await response.send(text: "local")
                    }
                }
                let client = try await LocalConnection.connect(to: listener.localAddress)
                try await client.write("GET / HTTP/1.1\r\n" + Self.close)
                #expect(String(decoding: try await client.readToEnd(), as: UTF8.self).hasSuffix("local"))
                await client.close()
                await listener.close()
                try await serving.value
                let (near, far) = try await LocalConnection.pair()
                let one = loop.spawn {
                    try await server.serve(near) { _, response in try await response.send(text: "one") }
                }
                try await far.write("GET / HTTP/1.0\r\n\r\n")
                #expect(try await far.readLine() == "HTTP/1.1 200 OK")
                try await one.value
                await near.close()
                await far.close()
            }
        }
    }
}
