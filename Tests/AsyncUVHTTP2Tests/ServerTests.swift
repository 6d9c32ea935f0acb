import AsyncUV
import AsyncUVHTTP
import AsyncUVHTTP2
import HTTPTypes
import SystemPackage
import TestSupport
import Testing
import UV

/// Requests and answers of HTTP/2.
@Suite(.ownThread) struct ServerTests {
    @Test func answersAndKeepsTheConnection() throws {
        try withSite { request, response in
            try await response.send(
                .ok, [.eTag: "\"1\"", .connection: "close"],
                text: "\(request.head.method) \(request.head.authority ?? "") \(request.head.path ?? "")")
        } _: { site in
            try await withClient(site) { client in
                for path in ["/1", "/2"] {
                    let answer = try await client.answer(client.request("GET", path))
                    #expect(answer.status == 200 && answer.text == "GET a \(path)" && answer.error == 0)
                    #expect(answer.fields["content-length"] == "\(answer.body.count)")
                    #expect(answer.fields["etag"] == "\"1\"" && answer.fields["date"] != nil)
                    #expect(answer.fields["connection"] == nil)
                }
            }
            let statistics = site.server.http.statistics
            #expect(statistics.connections == 1 && statistics.requests == 2 && statistics.refusals == 0)
            #expect(site.errors.value.isEmpty)
        }
    }

    @Test("HEAD, 204 and 304 have no body, and the length that a GET would have")
    func bodiless() throws {
        try withSite { request, response in
            switch request.head.path {
            case "/204": try await response.send(.noContent, [:], [1])
            case "/304": try await response.send(.notModified, [.contentLength: "7"])
            case "/stream": try await response.stream(.ok, length: 9) { try await $0.write("123456789") }
            default: try await response.send(text: "hello")
            }
        } _: { site in
            try await withClient(site) { client in
                for (method, path, status, length) in [
                    ("HEAD", "/", 200, "5"), ("GET", "/204", 204, nil), ("GET", "/304", 304, "7"),
                    ("HEAD", "/stream", 200, "9"),
                ] {
                    let answer = try await client.answer(client.request(method, path))
                    #expect(answer.status == status && answer.body.isEmpty && answer.hasEnded)
                    #expect(answer.fields["content-length"] == length, "\(method) \(path)")
                }
            }
        }
    }

    @Test func largeBodiesBothWays() throws {
        try withSite(HTTP2Server(HTTPServer(limits: limited { $0.body = 8 << 20 }))) { request, response in
            if request.head.path == "/whole" { return try await response.send(.ok, [:], request.body.collect()) }
            try await response.stream { writer in
                for try await piece in request.body { try await writer.write(piece) }
            }
        } _: { site in
            try await withClient(site) { client in
                let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
                let streams = ["/whole", "/pieces", "/whole", "/pieces"].map { client.request("POST", $0, body: body) }
                for stream in streams {
                    let answer = try await client.answer(stream)
                    #expect(answer.status == 200 && answer.body == body && answer.error == 0)
                }
            }
        }
    }

    @Test func hundredStreamsAtOnce() throws {
        let started = Shared(0)
        try onLoop { loop in
            let all = AsyncSemaphore(permits: 0, on: loop)
            try await serve(on: loop) { request, response in
                let count = started.change { count in
                    count += 1
                    return count
                }
                if count == 100 { for _ in 0..<100 { all.release() } }
                try await all.acquire()
                try await response.send(text: request.head.path ?? "")
            } _: { client in
                let streams = (0..<100).map { client.request("GET", "/\($0)") }
                for (number, stream) in streams.enumerated() {
                    let answer = try await client.answer(stream)
                    #expect(answer.text == "/\(number)")
                }
            }
        }
    }

    @Test("Fields behind bodies, both ways")
    func trailers() throws {
        try withSite { request, response in
            _ = try await request.body.collect()
            let sum = request.trailers[HTTPField.Name("x-sum")!] ?? "none"
            try await response.stream { writer in
                try await writer.write("body")
                try await writer.finish(trailers: [HTTPField.Name("x-seen")!: sum, .connection: "close"])
                do {
                    try await writer.write("more")
                    Issue.record("a body was written to after its end")
                } catch HTTPServerError.isOver {}
            }
        } _: { site in
            try await withClient(site) { client in
                let none = try await client.answer(client.request("POST", body: [1]))
                #expect(none.text == "body" && none.trailers == ["x-seen": "none"] && none.error == 0)
            }
            // A body, then HEADERS with END_STREAM: a literal field, never indexed.
            let field: [UInt8] = [0x10, 5] + Array("x-sum".utf8) + [2] + Array("42".utf8)
            let frames = [
                Frame.settings, Frame(type: 1, flags: 4, stream: 1, payload: [0x83] + Frame.get.dropFirst()),
                Frame(type: 0, stream: 1, payload: [1, 2, 3]), Frame(type: 1, flags: 5, stream: 1, payload: field),
                Frame(type: 7, payload: [0, 0, 0, 0, 0, 0, 0, 0]),
            ]
            let answer = Frame.all(try await site.answers(Frame.preface + frames.flatMap(\.bytes)))
            #expect(answer.contains { $0.type == 0 && $0.payload == Array("body".utf8) })
            #expect(answer.last { $0.type == 1 }?.flags == 5)
        }
    }

    @Test func limits() throws {
        let server = HTTP2Server(
            HTTPServer(
                limits: limited {
                    ($0.line, $0.head, $0.fieldCount, $0.body) = (100, 1_000, 10, 1_000)
                }))
        try withSite(server) { request, response in
            if request.head.path == "/more" {
                return try await response.send(text: "\(try await request.body.limited(to: 5_000).collect().count)")
            }
            try await response.send(text: "\(try await request.body.collect().count)")
        } _: { site in
            try await withClient(site) { client in
                let large = [UInt8](repeating: 1, count: 2_000)
                let long = String(repeating: "x", count: 2_000)
                let many = (0..<20).map { ("x-\($0)", "1") }
                for (expected, stream) in [
                    (413, client.request("POST", body: large)),
                    (413, client.request("POST", "/", [("content-length", "2000")], body: large)),
                    (200, client.request("POST", "/more", body: large)),
                    (431, client.request("GET", "/", [("x", long)])), (431, client.request("GET", "/", many)),
                    (414, client.request("GET", "/" + long.prefix(200))), (200, client.request()),
                ] {
                    let answer = try await client.answer(stream)
                    #expect(answer.status == expected)
                }
            }
            #expect(site.errors.value.isEmpty)
        }
    }

    @Test func tellsToContinueWhenTheBodyIsRead() throws {
        try withSite { request, response in
            try await response.inform(.init(code: 103), [.server: "x"])
            try await response.send(text: try await request.body.collectText())
        } _: { site in
            try await withClient(site) { client in
                let stream = client.request("POST", "/", [("expect", "100-continue")], body: [], ends: false)
                try await client.run { client[stream].interim == [103, 100] }
                client.send(stream, Array("hi".utf8))
                let answer = try await client.answer(stream)
                #expect(answer.text == "hi")
            }
        }
    }

    @Test("Errors of handlers end their streams only")
    func errors() throws {
        struct Broken: Error {}
        try withSite { request, response in
            switch request.head.path {
            case "/refuse": throw HTTPRefusal(.conflict, "no")
            case "/throw": throw Broken()
            case "/nothing": return
            case "/half":
                try await response.stream { writer in
                    try await writer.write("half")
                    throw Broken()
                }
            case "/short": try await response.stream(length: 5) { try await $0.write("1") }
            case "/upgrade": try await response.upgrade { _ in }
            default: try await response.send()
            }
        } _: { site in
            try await withClient(site) { client in
                for (path, status, error) in [
                    ("/refuse", 409, UInt32(0)), ("/throw", 500, 0), ("/nothing", 500, 0), ("/half", 200, 2),
                    ("/short", 200, 2), ("/upgrade", 500, 0), ("/", 200, 0),
                ] {
                    let stream = client.request("GET", path)
                    try await client.run { client[stream].error != nil }
                    #expect(client[stream].status == status && client[stream].error == error, "\(path)")
                }
            }
            #expect(
                site.errors.value == [
                    "Broken()", "\(HTTPServerError.noAnswer)", "Broken()",
                    "\(HTTPServerError.wrongLength(promised: 5, written: 1))", "\(HTTPServerError.wrongStatus(101))",
                ])
        }
    }

    @Test("The first bytes tell HTTP/1.1 from HTTP/2, however they are cut")
    func both() throws {
        try withSite { request, response in
            try await response.send(text: "\(request.head.path ?? "") \(request.remoteAddress != nil)")
        } _: { site in
            let text = try await site.answers(Array("PRINT /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
            #expect(String(decoding: text, as: UTF8.self).hasSuffix("\r\n\r\n/x true"))
            let wrong = try await site.answers(Array("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".utf8))
            #expect(String(decoding: wrong, as: UTF8.self).hasPrefix("HTTP/1.1 "))
            try await withClient(site) { client in
                let stream = client.request("GET", "/y")
                for byte in client.output() { try await client.stream.write([byte]) }
                let answer = try await client.answer(stream)
                #expect(answer.text == "/y true")
            }
        }
    }

    @Test("Streams in memory and files")
    func filesAndOtherStreams() throws {
        try onLoop { loop in
            let (near, far) = try await LocalConnection.pair(on: loop)
            let path = FilePath(#filePath)
            let serving = loop.spawn {
                try await HTTP2Server().serve(far) { _, response in
                    let file = try await File.open(path, on: loop)
                    let size = try await file.size()
                    try await response.send(.ok, [:], file, 10..<size)
                    try await file.close()
                }
                await far.close()
            }
            let client = RawClient(near)
            let answer = try await client.answer(client.request())
            #expect(answer.text.hasPrefix("ncUV\n") && answer.text.hasSuffix("}\n"))
            #expect(answer.fields["content-length"] == "\(answer.body.count)")
            await near.close()
            try await serving.value
        }
    }
}

func limited(_ change: (inout HTTPLimits) -> Void) -> HTTPLimits {
    var limits = HTTPLimits()
    change(&limits)
    return limits
}

/// Serves one client over a connection on a loop.
func serve(
    _ server: HTTP2Server = HTTP2Server(), on loop: EventLoop, window: Int = 65_535,
    _ handler: @escaping HTTPServer.Handler, _ body: (RawClient) async throws -> Void
) async throws {
    let (near, far) = try await connectedPair(on: loop)
    let serving = loop.spawn {
        try await server.serve(far, onError: { _, _ in }, handler)
        await far.close()
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body(RawClient(near, window: window))) } catch { result = .failure(error) }
    await near.close()
    try? await serving.value
    await far.close()
    try result.get()
}
