import AsyncUV
import AsyncUVHTTP
import Hummingbird
import Logging

/// Hummingbird's router, its middleware and its coding of requests and answers, with the connections served by a loop of libuv.
///
/// With a port it serves until Ctrl-C; without one it asks itself and ends with 0 if all answers are right.
@main struct HummingbirdRouter {
    static func main() throws {
        let port = CommandLine.arguments.dropFirst().first.flatMap { UInt16($0) }
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: port ?? 0)
            let bridge = Bridge(responder: router.buildResponder(), logger: Logger(label: "router"))
            loop.spawn(onError: { TCPListener.report($0, nil) }) {
                try await HTTPServer().serve(listener) { try await bridge.answer($0, $1) }
            }
            let signals = try await Signals.watch(.interrupt, .terminate)
            print("listening on http://\(listener.localAddress)")
            if port == nil { try await ask(listener.localAddress) } else { _ = try await signals.next() }
            await loop.shutdown(grace: .seconds(1))
        }
    }

    /// What a program on Hummingbird has anyway.
    private static var router: Router<LoopRequestContext> {
        let router = Router(context: LoopRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.get("hello") { _, context in
            "hello, \(context.client?.host ?? "whoever you are"), from the loop: \(EventLoop.current != nil)\n"
        }
        router.get("words/:word") { _, context in
            WordLength(letters: try context.parameters.require("word").count)
        }
        router.post("echo") { request, _ in
            // Piece by piece: neither side keeps the whole body.
            Response(status: .ok, body: ResponseBody(asyncSequence: request.body))
        }
        return router
    }

    private static func ask(_ server: SocketAddress) async throws {
        let (client, base) = (HTTPClient(), "http://\(server)")
        let hello = try await client.get("\(base)/hello").text()
        try check("GET /hello", hello, "hello, 127.0.0.1, from the loop: true\n")
        let word = try await client.get("\(base)/words/hummingbird").text()
        try check("GET /words/hummingbird", word, #"{"letters":11}"#)
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let echo = try await client.post("\(base)/echo", body: .bytes(bytes)).bytes()
        try check("POST /echo, \(bytes.count) bytes", echo == bytes, true)
        let head = try await client.send(
            HTTPRequest(method: .head, scheme: "http", authority: "\(server)", path: "/hello"))
        try check("HEAD /hello", head.fields[.contentLength], "\(hello.utf8.count)")
        try check("GET /nothing", try await client.get("\(base)/nothing").status, .notFound)
        await client.close()
        print("ok")
    }

    private static func check<Value: Equatable>(_ request: String, _ value: Value, _ expected: Value) throws {
        guard value == expected else { throw WrongAnswer(request: request, answer: "\(value)") }
        print("\(request): right")
    }
}

private struct WordLength: ResponseEncodable { let letters: Int }

private struct WrongAnswer: Error { let request, answer: String }
