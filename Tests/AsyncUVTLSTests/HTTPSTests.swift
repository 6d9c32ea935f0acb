import AsyncUV
import AsyncUVHTTP
import AsyncUVTLS
import Foundation
import HTTPTypes
import TestSupport
import Testing

/// HTTP and WebSocket over TLS: the products know nothing of one another.
@Suite(.ownThread) struct HTTPSTests {
    @Test func clientAndServer() throws {
        try onLoop { loop in
            let serving = try await Serving(on: loop)
            let client = HTTPClient(transport: try transport(), on: loop)
            for number in 1...3 {
                let body = [UInt8](repeating: UInt8(number), count: number * 100_000)
                let response = try await client.post(serving.url("https", "/echo"), body: .bytes(body))
                #expect(try await response.bytes() == body)
            }
            await client.close()
            let done = try await serving.end()
            #expect(done.connections == 1 && done.requests == 3 && done.refusals == 0)
        }
    }

    @Test func webSocket() throws {
        try onLoop { loop in
            let serving = try await Serving(on: loop)
            let client = HTTPClient(transport: try transport(), on: loop)
            let socket = try await client.webSocket(serving.url("wss", "/socket"))
            for text in ["hello", String(repeating: "ä", count: 100_000)] {
                try await socket.send(text)
                #expect(try await socket.next() == .text(text))
            }
            await socket.close()
            await client.close()
            _ = try await serving.end()
        }
    }

    @Test func aServerThatIsNotTrusted() throws {
        try onLoop { loop in
            let serving = try await Serving(on: loop)
            let foreign = try clientContext(trust: "other-authority")
            let client = HTTPClient(
                transport: HTTPTransport(secure: {
                    try await TLSConnection.secure($0, as: .client, context: foreign, serverName: $1)
                }), on: loop)
            let error = await #expect(throws: (any Error).self) {
                _ = try await client.get(serving.url("https", "/"))
            }
            #expect("\(try #require(error))".contains("not trusted"), "\(String(describing: error))")
            await client.close()
            #expect(try await serving.end().requests == 0)
        }
    }

    @Test("An idle client of HTTPS goes when the server drains, and one that is silent after its idle timeout")
    func idleClients() throws {
        try onLoop { loop in
            // Longer than a handshake takes on a busy machine.
            let serving = try await Serving(on: loop, idleTimeout: .milliseconds(100 * patience))
            let silent = try await TLSConnection.connect(
                host: "localhost", port: serving.port, context: try clientContext())
            #expect(try await silent.read() == nil)
            await silent.close()
            let draining = try await Serving(on: loop)
            let client = HTTPClient(transport: try transport(), on: loop)
            _ = try await client.post(draining.url("https", "/echo"), body: .bytes([1])).bytes()
            // The connection is kept by both sides now; nothing else ends it.
            _ = try await draining.end()
            _ = try await serving.end()
            await client.close()
        }
    }

    @Test("The half of an answer does not look whole, and the server knows who asks")
    func halfAnswers() throws {
        struct Broken: Error {}
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            let context = try serverContext()
            let hosts = Shared<[String]>([])
            let serving = loop.spawn {
                try await listener.serve(tls: context, onError: { _, _ in }) { connection in
                    try await HTTPServer().serve(connection) { request, response in
                        let host = request.remoteAddress?.host ?? "nobody"
                        hosts.change { $0.append(host) }
                        try await response.stream { writer in
                            try await writer.write("half")
                            throw Broken()
                        }
                    }
                }
            }
            let client = try await TLSConnection.connect(
                host: "localhost", port: listener.localAddress.port, context: try clientContext())
            try await client.write("GET / HTTP/1.0\r\n\r\n")
            await #expect(throws: (any Error).self) { while try await client.read() != nil {} }
            #expect(hosts.value == [listener.localAddress.host])
            await client.close()
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }

    @Test("A client that connects again goes on with its session")
    func resumesSessions() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            let context = try serverContext()
            let resumed = Shared<[Bool]>([])
            let serving = loop.spawn {
                try await listener.serve(tls: context) { connection in
                    let isResumed = connection.isResumed
                    resumed.change { $0.append(isResumed) }
                    try await HTTPServer().serve(connection) { _, response in
                        try await response.send(.ok, [.connection: "close"])
                    }
                }
            }
            for _ in 0..<2 {
                let client = HTTPClient(transport: try transport(), on: loop)
                for _ in 0..<3 {
                    _ = try await client.get("https://localhost:\(listener.localAddress.port)/").bytes()
                }
                await client.close()
            }
            // Not those of another context.
            #expect(resumed.value == [false, true, true, false, true, true])
            await listener.close()
            try await serving.value
        }
    }

    @Test("A client of HTTPS that goes ends what is made for it; one that only finishes may get its answer")
    func clientsThatGo() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            let context = try serverContext()
            let began = Channel<Int>(capacity: 1, on: loop), ends = Channel<String>(capacity: 1, on: loop)
            let serving = loop.spawn {
                try await listener.serve(tls: context, onError: { _, _ in }) { connection in
                    try await HTTPServer().serve(connection) { request, response in
                        do {
                            try await request.untilClientGone {
                                try await began.send(1)
                                try await connection.loop.sleep(for: .seconds(3_600))
                            }
                        } catch HTTPServerError.clientGone {
                            try await ends.send("gone")
                            try await response.send(text: "answered")
                        }
                    }
                }
            }
            for way in ["finish", "close", "abort"] {
                let client = try await TLSConnection.connect(
                    host: "localhost", port: listener.localAddress.port, context: try clientContext())
                try await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try await began.next()
                switch way {
                case "finish":
                    try await client.finishWriting()
                    let answer = String(decoding: try await client.readToEnd(), as: UTF8.self)
                    #expect(answer.hasSuffix("answered"))
                case "close": await client.close()
                default: await client.abort()
                }
                #expect(try await ends.next() == "gone")
                await client.close()
            }
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }

    /// A client whose socket ends below TLS, without close_notify.
    private func cutOff(
        _ port: UInt16, on loop: EventLoop, after text: String
    ) async throws -> String {
        let socket = try await TCPConnection.connect(host: "localhost", port: port, on: loop)
        let client = try await TLSConnection.secure(
            socket, as: .client, context: clientContext(), serverName: "localhost")
        if !text.isEmpty { try await client.write(text) }
        try await socket.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
        var answer: [UInt8] = []
        while let more = try await client.read() { answer += more }
        await client.close()
        return String(decoding: answer, as: UTF8.self)
    }

    @Test("A client of HTTPS that is cut off within its body gets 400, and is no failure of the handler's")
    func bodiesThatAreCutOff() throws {
        try onLoop { loop in
            let errors = Shared<[String]>([])
            let serving = try await Serving(on: loop) { error, _ in errors.change { $0.append("\(error)") } }
            for (path, statuses) in [("/echo", ["HTTP/1.1 400"]), ("/drop", ["HTTP/1.1 200"])] {
                let answer = try await cutOff(
                    serving.port, on: loop,
                    after: "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n0123456789")
                #expect(statuses.contains { answer.hasPrefix($0) }, "\(path): \(answer)")
            }
            #expect(try await serving.end().refusals == 1)
            #expect(errors.value == [])
        }
    }

    @Test("A client of HTTPS that ends without close_notify when nothing is under way is no error")
    func idleClientsThatAreCutOff() throws {
        try onLoop { loop in
            let errors = Shared<[String]>([])
            let serving = try await Serving(on: loop) { error, _ in errors.change { $0.append("\(error)") } }
            let get = "GET /drop HTTP/1.1\r\nHost: a\r\n\r\n"
            for (text, answers) in [("", 0), (get, 1), (get + get + "GET /dr", 2)] {
                let answer = try await cutOff(serving.port, on: loop, after: text)
                #expect(answer.components(separatedBy: "HTTP/1.1 200").count - 1 == answers, "\(answer)")
            }
            #expect(try await serving.end().connections == 3)
            #expect(errors.value == [])
        }
    }

    @Test("A server of HTTPS that is cut off has not answered as a whole, however its body ends")
    func answersThatAreCutOff() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            let context = try serverContext()
            let answers = [
                "", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
                "HTTP/1.1 200 OK\r\n\r\nwhole?", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            ]
            let serving = loop.spawn {
                for answer in answers {
                    guard let socket = try await listener.accept() else { return }
                    let server = try await TLSConnection.secure(socket, as: .server, context: context)
                    _ = try await server.readUntil(10)
                    try await server.write(answer)
                    try await socket.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
                    while let _ = try? await server.read() {}
                    await server.close()
                }
            }
            let client = HTTPClient(transport: try transport(), on: loop)
            for answer in answers {
                let error = await #expect(throws: HTTPClientError.self, "\(answer)") {
                    _ = try await client.get("https://localhost:\(listener.localAddress.port)/").bytes()
                }
                #expect(error?.kind == .truncated, "\(answer): \(String(describing: error))")
            }
            await client.close()
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }

    @Test("A WebSocket over TLS that is cut off tells so as one in clear does")
    func socketsThatAreCutOff() throws {
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let (client, server) = try await secured(near, far)
            let socket = WebSocket(server, role: .server)
            try await near.withHandle { _ = shutdown(try $0.fileDescriptor.rawValue, CInt(SHUT_WR)) }
            let error = await #expect(throws: WebSocketError.self) { _ = try await socket.next() }
            #expect(error?.kind == .truncated)
            await client.close()
            await server.close()
        }
    }

    @Test("A full server of HTTPS makes room for a new client, as one in clear does")
    func makesRoomForNewClients() throws {
        try onLoop { loop in
            let listener = try await TCPListener.bind(host: "localhost", port: 0)
            let server = HTTPServer()
            let context = try serverContext()
            let errors = Shared<[String]>([])
            let serving = loop.spawn {
                try await listener.serve(
                    tls: context, maxConnections: 3, onError: { error, _ in errors.change { $0.append("\(error)") } }
                ) { try await server.serve($0) { _, response in try await response.send() } }
            }
            var clients: [TLSConnection] = []
            for _ in 0..<5 {
                let client = try await TLSConnection.connect(
                    host: "localhost", port: listener.localAddress.port, context: clientContext())
                try await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try await client.readLine() == "HTTP/1.1 200 OK")
                clients.append(client)
                // It waits for its next request.
                try await loop.waitUntilIdle()
            }
            for client in clients.prefix(2) { while try await client.read() != nil {} }
            for client in clients.dropFirst(2) {
                _ = try await client.readUntil(10)
                try await client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                while try await client.readLine() != "HTTP/1.1 200 OK" {}
            }
            #expect(server.statistics.displaced == 2 && server.statistics.connections == 5)
            #expect(errors.value == [])
            for client in clients { await client.close() }
            await listener.close()
            try await serving.value
        }
    }

    @Test("A connection of HTTPS has an idle timeout, if it has no other one")
    func idleTimeouts() throws {
        try onLoop { loop in
            for (ofListener, expected) in [
                (nil, .seconds(60)), (.seconds(7), .seconds(7)),
            ] as [(Duration?, Duration?)] {
                for isOff in [false, true] {
                    let (near, far) = try await tlsPair()
                    if let ofListener { try await far.setIdleTimeout(ofListener) }
                    let serving = loop.spawn {
                        let handler: HTTPServer.Handler = { request, response in
                            let time = try await (request.stream as? TLSConnection)?.idleTimeout
                            try await response.send(text: "\(time?.components.seconds ?? 0) s")
                        }
                        if isOff { return try await HTTPServer().serve(far, idleTimeout: nil, handler) }
                        try await HTTPServer().serve(far, handler)
                    }
                    try await near.write("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                    try await serving.value
                    await far.close()
                    let answer = String(decoding: try await near.readToEnd(), as: UTF8.self)
                    let time = isOff ? ofListener : expected
                    #expect(answer.hasSuffix("\r\n\(time?.components.seconds ?? 0) s"), "\(answer)")
                    await near.close()
                }
            }
        }
    }

    private func transport() throws -> HTTPTransport {
        let context = try clientContext()
        return HTTPTransport(secure: {
            try await TLSConnection.secure($0, as: .client, context: context, serverName: $1)
        })
    }
}

/// A server of HTTPS that sends bodies and messages back.
private struct Serving {
    private let server = HTTPServer()
    private let listener: TCPListener
    private let task: Task<Void, any Error>

    init(
        on loop: EventLoop, idleTimeout: Duration? = nil,
        onError: @escaping @Sendable (any Error, SocketAddress?) -> Void = TLSConnection.report
    ) async throws {
        listener = try await TCPListener.bind(host: "localhost", port: 0)
        let context = try serverContext()
        task = loop.spawn { [listener, server] in
            try await listener.serve(tls: context, idleTimeout: idleTimeout, onError: onError) { connection in
                try await server.serve(connection) { request, response in
                    if request.head.path == "/socket" {
                        try await response.webSocket(for: request) { socket in
                            for try await message in socket { try await socket.send(message) }
                        }
                    } else if request.head.path == "/drop" {
                        try await response.send()
                    } else {
                        try await response.send(.ok, [:], request.body.collect())
                    }
                }
            }
        }
    }

    var port: UInt16 { listener.localAddress.port }

    func url(_ scheme: String, _ path: String) -> String { "\(scheme)://localhost:\(port)\(path)" }

    /// Ends the server when those who are connected are served.
    func end() async throws -> HTTPServer.Statistics {
        await listener.close()
        try await task.value
        return server.statistics
    }
}
