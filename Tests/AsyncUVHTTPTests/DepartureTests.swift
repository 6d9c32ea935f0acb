import AsyncUV
import AsyncUVHTTP
import HTTPTypes
import Synchronization
import TestSupport
import Testing

/// Clients that go while a handler makes their answer.
@Suite(.ownThread, .inTurn) struct DepartureTests {
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private static let close = "Host: a\r\nConnection: close\r\n\r\n"
    private static let hour = Duration.seconds(3_600)

    private let began = Channel<Int>(capacity: 1, on: .shared), goOn = Channel<Int>(capacity: 1, on: .shared)
    private let ends = Channel<String>(capacity: 8, on: .shared)

    @Test(arguments: [true, false])
    func endsTheBodyWhenTheClientHasGone(resets: Bool) throws {
        try withServer { request, response in
            do {
                try await request.untilClientGone {
                    try await began.send(1)
                    try await request.connectionLoop.sleep(for: Self.hour)
                }
            } catch {
                try await ends.send("\(error)")
                throw error
            }
            try await response.send()
        } _: { serving in
            let client = try await serving.connect()
            try await client.write(Self.get)
            _ = try await began.next()
            if resets { await client.closeWithReset() } else { await client.close() }
            #expect(try await ends.next() == "the client has gone")
            try await serving.listener.loop.waitUntilIdle()
            #expect(serving.thrown.isEmpty && serving.server.statistics.refusals == 0)
        }
    }

    @Test("The half of an answer is none when the client has gone")
    func endsAnAnswerThatHasBegun() throws {
        try withServer { request, response in
            try await request.untilClientGone {
                try await response.stream { writer in
                    try await writer.write("half")
                    try await request.connectionLoop.sleep(for: Self.hour)
                }
            }
        } _: { serving in
            let client = try await serving.connect()
            try await client.write("GET / HTTP/1.0\r\n\r\n")
            while let line = try await client.readLine(), line != "" {}
            #expect(try await client.read(exactly: 4) == Array("half".utf8))
            try await client.finishWriting()
            await #expect(throws: UVError.self) { try await client.readToEnd() }
            await client.close()
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test("A client that finishes and listens gets its answer", arguments: ["/plain", "/patient", "/caught"])
    func servesHalfClosedClients(path: String) throws {
        try withServer { request, response in
            switch request.head.path {
            case "/plain":
                try await began.send(1)
                _ = try await goOn.next()
                try await response.send(text: "plain")
            case "/patient":
                try await request.untilClientGone(orFinished: false) {
                    try await began.send(1)
                    _ = try await goOn.next()
                    try await response.send(text: "patient")
                }
            default:
                do {
                    try await request.untilClientGone { try await request.connectionLoop.sleep(for: Self.hour) }
                } catch HTTPServerError.clientGone { try await response.send(text: "caught") }
            }
        } _: { serving in
            let client = try await serving.connect()
            // What `printf … | nc -N` does, with another request behind.
            try await client.write("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\nGET \(path) HTTP/1.1\r\n" + Self.close)
            try await client.finishWriting()
            for _ in 0..<2 where path != "/caught" {
                _ = try await began.next()
                try await client.loop.waitUntilIdle()
                try await goOn.send(1)
            }
            let text = String(decoding: try await client.readToEnd(), as: UTF8.self)
            #expect(text.matches(of: /HTTP\/1.1 200/).count == 2 && text.hasSuffix(path.dropFirst()), "\(text)")
            await client.close()
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test func losesNothingOfLaterRequests() throws {
        try withServer { request, response in
            let path = request.head.path ?? ""
            try await request.untilClientGone {
                guard path == "/1" else { return }
                try await began.send(1)
                _ = try await goOn.next()
            }
            try await response.send(text: path + "\n")
        } _: { serving in
            let client = try await serving.connect()
            try await client.write("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await began.next()
            // More than a watch takes.
            let many = (3...1_500).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
            for piece in ["GET /2 HTT", "P/1.1\r\nHost: a\r\n\r\n" + many, "GET /last HTTP/1.1\r\n" + Self.close] {
                try await client.write(piece)
                try await client.loop.waitUntilIdle()
            }
            try await goOn.send(1)
            let text = String(decoding: try await client.readToEnd(), as: UTF8.self)
            let paths = text.matches(of: /\r\n\r\n(\/\w+)\n/).map { String($0.1) }
            #expect(paths == (1...1_500).map { "/\($0)" } + ["/last"])
            await client.close()
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test func watchesFromTheEndOfTheBodyOn() throws {
        try withServer { request, response in
            do {
                try await request.untilClientGone {
                    try await began.send(1)
                    let text = try await request.body.collectText()
                    try await ends.send(text)
                    try await request.connectionLoop.sleep(for: Self.hour)
                }
            } catch {
                try await ends.send("\(type(of: error))")
                throw error
            }
        } _: { serving in
            let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
            let client = try await serving.connect()
            try await client.write(head)
            _ = try await began.next()
            for piece in ["he", "llo"] {
                try await client.loop.waitUntilIdle()
                try await client.write(piece)
            }
            #expect(try await ends.next() == "hello")
            await client.close()
            #expect(try await ends.next() == "HTTPServerError")
            // Those that go within the body are told by its error, as without a watch.
            let other = try await serving.connect()
            try await other.write(head + "he")
            _ = try await began.next()
            try await other.loop.waitUntilIdle()
            await other.closeWithReset()
            let error = try await ends.next() ?? "nothing"
            #expect(["UVError", "HTTPServerError"].contains(error))
            try await serving.listener.loop.waitUntilIdle()
            #expect(serving.thrown.isEmpty)
        }
    }

    @Test func theIdleTimeoutEndsNoWatch() throws {
        try withServer(idleTimeout: .milliseconds(20)) { request, response in
            try await request.untilClientGone { try await request.connectionLoop.sleep(for: .milliseconds(100)) }
            try await response.send(text: "there")
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            #expect(text.hasSuffix("there"))
        }
    }

    @Test func theBodysOwnErrorGoesOn() throws {
        struct Broken: Error {}
        try withServer { request, _ in
            try await request.untilClientGone { throw Broken() }
        } _: { serving in
            let text = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            #expect(text.hasPrefix("HTTP/1.1 500"))
            #expect(serving.thrown == ["Broken()"])
        }
    }

    @Test func cancellationEndsBoth() throws {
        try onLoop { loop in
            let (near, far) = try await LocalConnection.pair(on: loop)
            let serving = loop.spawn {
                try await HTTPServer().serve(near) { request, _ in
                    try await request.untilClientGone {
                        try await began.send(1)
                        try await request.connectionLoop.sleep(for: Self.hour)
                    }
                }
            }
            try await far.write(Self.get)
            _ = try await began.next()
            try await loop.waitUntilIdle()
            serving.cancel()
            await #expect(throws: CancellationError.self) { try await serving.value }
            await near.close()
            await far.close()
        }
    }

    @Test("The watch as a task of the handler's own; one at a time, and none after the handler")
    func watchesInATask() throws {
        let kept = Mutex<HTTPServerRequest?>(nil)
        try withServer { request, response in
            switch request.head.path {
            case "/twice":
                async let departure = request.clientGone()
                try await request.connectionLoop.waitUntilIdle()
                await #expect(throws: UVError.self) { try await request.clientGone() }
                try await began.send(1)
                let how = try await departure
                try await ends.send("\(how)")
            case "/leaked":
                _ = request.connectionLoop.spawn {
                    do { try await ends.send("\(try await request.clientGone())") } catch {
                        try await ends.send("no more")
                    }
                }
                try await request.connectionLoop.waitUntilIdle()
                try await response.send()
            default:
                kept.withLock { $0 = request }
                try await response.send()
            }
        } _: { serving in
            let client = try await serving.connect()
            try await client.write("GET /twice HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try await began.next()
            await client.closeWithReset()
            #expect(try await ends.next() == "reset")
            // A task that reads still would take the next request: there is none.
            let text = try await serving.answers("GET /leaked HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(text.hasPrefix("HTTP/1.1 200"))
            #expect(try await ends.next() == "no more")
            _ = try await serving.answers("GET / HTTP/1.1\r\n" + Self.close)
            let request = try #require(kept.withLock { $0 })
            await #expect(throws: HTTPServerError.isOver) { try await request.clientGone() }
        }
    }
}

extension HTTPServerRequest {
    /// The loop of the connection, where the handlers of these tests are.
    fileprivate var connectionLoop: EventLoop { stream.loop }
}
