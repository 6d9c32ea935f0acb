import AsyncHTTPClient
import AsyncUV
import AsyncUVHTTP
import NIOCore
import NIOHTTP1

/// A server on a loop of libuv, and async-http-client on NIO's threads that asks it, in one program. Ends with 0 if all answers are right.
///
/// Nothing has to be told of the other: a task on the loop awaits what NIO does, and goes on on the loop.
@main struct AsyncHTTPClientBeside {
    static func main() throws {
        try AsyncUV.EventLoop.run { loop in
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let server = HTTPServer()
            let serving = loop.spawn {
                try await server.serve(listener) { request, response in
                    let body = try await request.body.collectText()
                    try await response.send(text: "\(request.head.method) \(request.head.path ?? ""): \(body)")
                }
            }
            let base = "http://\(listener.localAddress)"
            // Both modules have a client of that name.
            try await AsyncHTTPClient.HTTPClient.withHTTPClient { client in
                try await ask(client, "\(base)/one", is: "GET /one: ", on: loop)
                try await ask(client, "\(base)/two", sending: "a body", is: "POST /two: a body", on: loop)
            }
            await listener.close()
            try await serving.value
            print("our server has answered \(server.statistics.requests) requests")
        }
        print("ok")
    }

    private static func ask(
        _ client: AsyncHTTPClient.HTTPClient, _ url: String, sending text: String? = nil, is expected: String,
        on loop: AsyncUV.EventLoop
    ) async throws {
        var request = HTTPClientRequest(url: url)
        if let text { (request.method, request.body) = (.POST, .bytes(ByteBuffer(string: text))) }
        let response = try await client.execute(request, timeout: .seconds(30))
        let body = String(buffer: try await response.body.collect(upTo: 1 << 20))
        print("\(response.status): \(body)")
        guard body == expected, loop.isCurrent else { throw WrongAnswer(url: url, body: body) }
    }
}

private struct WrongAnswer: Error {
    let url, body: String
}
