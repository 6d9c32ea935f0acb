import AsyncUV
import AsyncUVHTTP
import AsyncUVHTTP2
import HTTPTypes
import TestSupport
import Testing
import UV

/// Clients that mean no good, are slow, or go.
@Suite(.ownThread) struct TroubleTests {
    private static let begin = Frame.preface + Frame.settings.bytes
    private static let calm: UInt8 = 11

    private static func get(_ stream: Int, ends: Bool = true) -> Frame {
        Frame(type: 1, flags: ends ? 5 : 4, stream: UInt32(stream), payload: Frame.get)
    }

    // MARK: Floods

    @Test("Rapid resets (CVE-2023-44487): few handlers are called, and the connection ends")
    func rapidReset() throws {
        let called = Shared(0)
        var limits = HTTP2Limits()
        limits.concurrentStreams = 10
        limits.resets = 50
        try withSite(HTTP2Server(limits: limits)) { request, response in
            called.change { $0 += 1 }
            // Nobody waits for it: the client has given the request up.
            try await request.untilClientGone { try await request.stream.loop.sleep(for: .seconds(3_600)) }
        } _: { site in
            // The client's own reset, and a window that is too large, for which the server has to reset the stream (CVE-2025-8671).
            for (type, payload) in [(UInt8(3), [UInt8]([0, 0, 0, 8])), (8, [0x7F, 0xFF, 0xFF, 0xFF])] {
                called.value = 0
                var bytes = Self.begin
                for number in 0..<2_000 {
                    bytes += Self.get(2 * number + 1).bytes
                    bytes += Frame(type: type, stream: UInt32(2 * number + 1), payload: payload).bytes
                }
                bytes += Frame(type: 7, payload: [UInt8](repeating: 0, count: 8)).bytes
                let frames = Frame.all(try await site.answers(bytes))
                // The system may have dropped it with the bytes that were not read any more.
                if type == 3, let goAway = frames.last(where: { $0.type == 7 }) { #expect(goAway.error == Self.calm) }
                #expect(called.value <= 60)
            }
            #expect(site.server.http.statistics.requests <= 120)
            // Others are served.
            try await withClient(site) { client in
                let stream = client.request()
                try await client.flush()
                client.reset(stream)
                try await client.flush()
            }
        }
    }

    @Test("A request that was given up counts until its handler has ended")
    func handlersThatGoOn() throws {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 2
        let called = Shared(0)
        let server = HTTP2Server(limits: limits)
        try onLoop { loop in
            let go = AsyncSemaphore(permits: 0, on: loop)
            let begun = AsyncSemaphore(permits: 0, on: loop)
            try await serve(server, on: loop) { request, response in
                called.change { $0 += 1 }
                if request.head.path == "/now" { return try await response.send() }
                begun.release()
                try await go.acquire()
                try await response.send()
            } _: { client in
                for _ in 0..<2 {
                    let stream = client.request("GET", "/wait")
                    try await client.flush()
                    try await begun.acquire()
                    client.reset(stream)
                    try await client.flush()
                }
                let refused = client.request("GET", "/now")
                let answer = try await client.answer(refused)
                #expect(answer.error == 7)
                #expect(called.value == 2)
                go.release()
                go.release()
                // Refused ones are sent again.
                while true {
                    let answer = try await client.answer(client.request("GET", "/now"))
                    if answer.error == 7 { continue }
                    #expect(answer.status == 200)
                    break
                }
            }
        }
    }

    @Test("Floods of PING, SETTINGS, PRIORITY and empty DATA end the connection")
    func controlFloods() throws {
        try withSite { request, response in
            _ = try await request.body.collect()
            try await response.send()
        } _: { site in
            for frame in [
                Frame.ping, Frame.settings, Frame(type: 2, stream: 1, payload: [0, 0, 0, 0, 1]),
                Frame(type: 0, stream: 1),
            ] {
                var bytes = Self.begin + Self.get(1, ends: false).bytes
                for _ in 0..<20_000 { bytes += frame.bytes }
                let answer = Frame.all(try await site.answers(bytes))
                if let goAway = answer.last(where: { $0.type == 7 }) {
                    #expect(goAway.error == Self.calm, "\(frame)")
                }
                #expect(answer.count { $0.type == 6 } <= 2_000)
            }
        }
    }

    @Test("Heads that do not end: CONTINUATION (CVE-2024-27316), and fields from the table (HPACK bomb)")
    func headFloods() throws {
        try withSite { _, response in
            try await response.send()
        } _: { site in
            var bytes = Self.begin + Frame(type: 1, flags: 1, stream: 1, payload: Frame.get).bytes
            let field: [UInt8] = [0, 1, UInt8(ascii: "x"), 127, 0x81, 0x7E] + [UInt8](repeating: 65, count: 16_256)
            for _ in 0..<100 { bytes += Frame(type: 9, stream: 1, payload: Array(field.prefix(16_384))).bytes }
            let first = Frame.all(try await site.answers(bytes))
            #expect(!first.contains { $0.type == 1 })
            // A field of 4,000 bytes goes to the table, and comes a thousand times.
            var bomb = Frame.get + [0x40, 1, UInt8(ascii: "x"), 127, 0xA1, 0x1E]
            bomb += [UInt8](repeating: 65, count: 4_000) + [UInt8](repeating: 0xBE, count: 1_000)
            let frames = Self.begin + Frame(type: 1, flags: 5, stream: 1, payload: bomb).bytes
            let second = Frame.all(try await site.answers(frames))
            #expect(!second.contains { $0.type == 1 && $0.payload.first == 0x88 })
        }
    }

    @Test("What is no HTTP/2 ends the connection, and nothing else")
    func garbage() throws {
        try withSite { _, response in
            try await response.send(text: "hello")
        } _: { site in
            for garbage: [UInt8] in [
                [UInt8](repeating: 0xFF, count: 100), Frame(type: 0, stream: 7, payload: [1]).bytes,
                Frame(type: 1, flags: 5, stream: 2, payload: Frame.get).bytes,
                Frame(type: 1, flags: 5, stream: 1, payload: [0xFF, 0xFF, 0xFF]).bytes,
                Frame(type: 8, payload: [0, 0, 0, 0]).bytes, Frame(type: 5, stream: 1, payload: [0, 0, 0, 2]).bytes,
            ] {
                let frames = Frame.all(try await site.answers(Self.begin + garbage))
                #expect(frames.contains { $0.type == 7 && $0.error != 0 }, "\(garbage.prefix(12))")
            }
            try await withClient(site) { client in
                let answer = try await client.answer(client.request())
                #expect(answer.text == "hello")
            }
        }
    }

    // MARK: Flow control

    @Test("A body that nobody reads stops its client, and not the client's other requests")
    func unreadBodies() throws {
        try onLoop { loop in
            let go = AsyncSemaphore(permits: 0, on: loop)
            try await serve(on: loop) { request, response in
                if request.head.path == "/wait" { try await go.acquire() }
                try await response.send(text: "\(try await request.body.collect().count)")
            } _: { client in
                let body = [UInt8](repeating: 1, count: 200_000)
                let stuck = (0..<20).map { _ in client.request("POST", "/wait", body: body) }
                for _ in 0..<3 {
                    let answer = try await client.answer(client.request("POST", "/", body: body))
                    #expect(answer.text == "200000")
                }
                #expect(stuck.allSatisfy { !client[$0].hasEnded })
                for _ in stuck { go.release() }
                for stream in stuck {
                    let answer = try await client.answer(stream)
                    #expect(answer.text == "200000")
                }
            }
        }
    }

    @Test("A client that does not take an answer stops that answer only, until it takes it")
    func stuckAnswers() throws {
        try onLoop { loop in
            try await serve(on: loop, window: 10) { request, response in
                let text = request.head.path == "/long" ? String(repeating: "x", count: 2_000) : "short"
                try await response.send(text: text)
            } _: { client in
                client.consumes = false
                let long = client.request("GET", "/long")
                let answer = try await client.answer(client.request("GET", "/short"))
                #expect(answer.text == "short")
                #expect(client[long].body.count == 10 && !client[long].hasEnded)
                client.consumes = true
                client.consume(long, 10)
                let whole = try await client.answer(long)
                #expect(whole.body.count == 2_000)
            }
        }
    }

    @Test("An answer that nobody takes ends after the server's patience, and so does a body that does not come")
    func patience() throws {
        let server = HTTP2Server(HTTPServer(patience: .milliseconds(20), slowestRate: 1_000_000))
        try onLoop { loop in
            try await serve(server, on: loop, window: 0) { request, response in
                if request.head.path == "/body" { _ = try await request.body.collect() }
                try await response.send(text: "hello")
            } _: { client in
                let stuck = client.request("GET")
                try await client.run { client[stuck].error != nil }
                #expect(client[stuck].error == 8 && client[stuck].body.isEmpty)
                let half = client.request("POST", "/body", body: [1], ends: false)
                try await client.run { client[half].status != 0 }
                #expect(client[half].status == 408)
            }
        }
        #expect(server.http.statistics.timeouts >= 2)
    }

    @Test("A client that opens all windows and reads nothing ends after the server's patience")
    func unreadSocket() throws {
        let server = HTTP2Server(HTTPServer(patience: .milliseconds(50), slowestRate: 1_000_000_000))
        let begun = Shared(0), ended = Shared(0)
        try onLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let serving = loop.spawn {
                try await server.serve(far, idleTimeout: .seconds(1), onError: { _, _ in }) { _, response in
                    begun.change { $0 += 1 }
                    defer { ended.change { $0 += 1 } }
                    try await response.send(.ok, [:], [UInt8](repeating: 1, count: 4 << 20))
                }
            }
            let wide = [Frame(type: 4, payload: [0, 4, 0x40, 0, 0, 0]), Frame(type: 8, payload: [0x40, 0, 0, 0])]
            var bytes = Frame.preface + wide.flatMap(\.bytes)
            for number in 0..<20 { bytes += Self.get(2 * number + 1).bytes }
            try await near.write(bytes)
            // Answers of 80 MiB do not fit between two sockets.
            try await serving.value
            await near.close()
            await far.close()
        }
        #expect(server.http.statistics.timeouts >= 1)
        #expect(begun.value == 20 && ended.value == 20)
    }

    @Test("A frame that does not end, and a connection without a request, end after their time")
    func idle() throws {
        let server = HTTP2Server(HTTPServer(patience: .milliseconds(20), slowestRate: 10_000_000))
        try withSite(server, idleTimeout: .milliseconds(50)) { _, response in
            try await response.send()
        } _: { site in
            let half = Array(Self.get(1).bytes.dropLast())
            for bytes in [half, []] {
                let frames = Frame.all(try await site.answers(Self.begin + bytes))
                #expect(frames.contains { $0.type == 7 })
            }
            #expect(try await site.answers(Array(Frame.preface.prefix(5))).isEmpty)
        }
        #expect(server.http.statistics.timeouts >= 3)
    }

    @Test("The first bytes have one time for all of them, on streams of any kind")
    func slowPrefaces() throws {
        let server = HTTP2Server(HTTPServer(patience: .milliseconds(20)))
        try onLoop { loop in
            for isPlain in [false, true] {
                let (near, far) = try await LocalConnection.pair(on: loop)
                let serving = loop.spawn {
                    if isPlain {
                        try await server.serve(PlainStream(far)) { _, response in try await response.send() }
                    } else {
                        try await server.serve(far) { _, response in try await response.send() }
                    }
                    await far.close()
                }
                // Each byte comes in time, but not all of them.
                for byte in Frame.preface {
                    do { try await near.write([byte]) } catch { break }
                    try await loop.sleep(for: .milliseconds(5))
                }
                try await serving.value
                await near.close()
            }
        }
        #expect(server.http.statistics.timeouts == 2)
        #expect(server.http.statistics.connections == 0)
    }

    @Test("Of a plain stream frames and answers have their times, too")
    func plainStreams() throws {
        let server = HTTP2Server(HTTPServer(patience: .milliseconds(20), slowestRate: 1_000_000_000))
        try onLoop { loop in
            let body = [UInt8](repeating: 1, count: 4 << 20)
            let wide = [Frame(type: 4, payload: [0, 4, 0x40, 0, 0, 0]), Frame(type: 8, payload: [0x40, 0, 0, 0])]
            for bytes in [
                Frame.preface + Frame.settings.bytes + Self.get(1).bytes.dropLast(),
                Frame.preface + wide.flatMap(\.bytes) + Self.get(1).bytes,
            ] {
                let (near, far) = try await LocalConnection.pair(on: loop)
                let serving = loop.spawn {
                    try await server.serve(PlainStream(far), onError: { _, _ in }) { _, response in
                        try await response.send(.ok, [:], body)
                    }
                    await far.close()
                }
                try await near.write(bytes)
                try await serving.value
                await near.close()
            }
        }
        #expect(server.http.statistics.timeouts >= 2)
    }

    @Test("A full server makes room for a new client, by whoever waits for the longest time, whatever it speaks")
    func makesRoomForNewClients() throws {
        try onLoop { loop in
            let server = HTTP2Server()
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let errors = Shared<[String]>([])
            let begun = AsyncSemaphore(permits: 0, on: loop), go = AsyncSemaphore(permits: 0, on: loop)
            let end = AsyncSemaphore(permits: 0, on: loop)
            let serving = loop.spawn {
                try await server.serve(
                    listener, maxConnections: 3, onError: { error, _ in errors.change { $0.append("\(error)") } }
                ) { request, response in
                    if request.head.path != "/" {
                        begun.release()
                        try await (request.head.path == "/busy" ? go : end).acquire()
                    }
                    try await response.send(text: "hello")
                }
            }
            let busy = RawClient(try await TCPConnection.connect(to: listener.localAddress, on: loop))
            let stream = busy.request("GET", "/wait")
            try await busy.flush()
            try await begun.acquire()
            var connections: [TCPConnection] = []
            for number in 0..<4 {
                let connection = try await TCPConnection.connect(to: listener.localAddress, on: loop)
                if number % 2 == 0 {
                    let client = RawClient(connection)
                    #expect(try await client.answer(client.request()).text == "hello")
                    // One that says nothing after its answer can be spared, too.
                    let last = client.request("GET", "/busy")
                    try await client.flush()
                    try await begun.acquire()
                    go.release()
                    #expect(try await client.answer(last).text == "hello")
                } else {
                    try await connection.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    #expect(try await connection.readLine() == "HTTP/1.1 200 OK")
                }
                connections.append(connection)
                try await loop.waitUntilIdle()
            }
            for connection in connections.prefix(2) { while try await connection.read() != nil {} }
            #expect(server.http.statistics.displaced == 2)
            end.release()
            #expect(try await busy.answer(stream).text == "hello")
            for connection in connections { await connection.close() }
            await busy.stream.close()
            await listener.close()
            try await serving.value
            #expect(errors.value == [])
        }
    }

    // MARK: Ends

    @Test("A request that is given up ends what is made for it, and its body and answer")
    func clientsThatGo() throws {
        try onLoop { loop in
            let ends = Channel<String>(capacity: 8, on: loop)
            let begun = AsyncSemaphore(permits: 0, on: loop)
            try await serve(on: loop) { request, response in
                begun.release()
                switch request.head.path {
                case "/watch":
                    do {
                        try await request.untilClientGone { try await loop.sleep(for: .seconds(3_600)) }
                    } catch HTTPServerError.clientGone { try await ends.send("watch") }
                case "/read":
                    do { _ = try await request.body.collect() } catch HTTPServerError.clientGone {
                        try await ends.send("read")
                    }
                default:
                    do {
                        try await response.stream { writer in
                            while true { try await writer.write([UInt8](repeating: 1, count: 50_000)) }
                        }
                    } catch HTTPServerError.clientGone { try await ends.send("write") }
                }
            } _: { client in
                client.consumes = false
                for way in ["watch", "read", "write"] {
                    let stream = client.request("POST", "/\(way)", body: [1], ends: way == "watch")
                    try await client.flush()
                    try await begun.acquire()
                    if way == "write" { try await client.run { client[stream].body.count == 65_535 } }
                    client.reset(stream)
                    try await client.flush()
                    #expect(try await ends.next() == way)
                }
            }
        }
    }

    @Test("A server that drains says so, and what is at work ends")
    func drains() throws {
        try onLoop { loop in
            let go = AsyncSemaphore(permits: 0, on: loop), begun = AsyncSemaphore(permits: 0, on: loop)
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loop)
            let serving = loop.spawn {
                try await HTTP2Server().serve(listener) { _, response in
                    begun.release()
                    try await go.acquire()
                    try await response.send(text: "whole")
                }
            }
            let connection = try await TCPConnection.connect(to: listener.localAddress, on: loop)
            let client = RawClient(connection)
            let idle = try await TCPConnection.connect(to: listener.localAddress, on: loop)
            try await idle.write(Self.begin)
            let stream = client.request()
            try await client.flush()
            try await begun.acquire()
            await listener.close()
            try await client.run { client.hasGoAway }
            #expect(client.hasGoAway && !client[stream].hasEnded)
            go.release()
            let answer = try await client.answer(stream)
            #expect(answer.text == "whole")
            try await client.run { false }
            #expect(client.isAtEnd)
            let frames = Frame.all(try await idle.readToEnd())
            #expect(frames.contains { $0.error == 0 })
            // Otherwise the server waits a while for them.
            await connection.close()
            await idle.close()
            try await serving.value
        }
    }

    @Test("A server that is cancelled cancels its handlers; so does a connection that is lost")
    func cancellation() throws {
        try onLoop { loop in
            for way in ["cancel", "reset"] {
                let begun = AsyncSemaphore(permits: 0, on: loop)
                let cancelled = Shared(0)
                let (near, far) = try await connectedPair(on: loop)
                let serving = loop.spawn {
                    try await HTTP2Server().serve(far, onError: { _, _ in }) { _, _ in
                        begun.release()
                        do { try await loop.sleep(for: .seconds(3_600)) } catch {
                            cancelled.change { $0 += 1 }
                            throw error
                        }
                    }
                }
                let client = RawClient(near)
                for _ in 0..<5 { _ = client.request() }
                try await client.flush()
                for _ in 0..<5 { try await begun.acquire() }
                if way == "cancel" { serving.cancel() } else { await near.closeWithReset() }
                await #expect(throws: (any Error).self) { try await serving.value }
                #expect(cancelled.value == 5)
                await near.close()
                await far.close()
            }
        }
    }

    @Test("A client that finishes gets the answers to what it has sent")
    func halfClose() throws {
        try onLoop { loop in
            try await serve(on: loop) { _, response in
                try await loop.sleep(for: .milliseconds(1))
                try await response.send(text: "whole")
            } _: { client in
                let streams = (0..<5).map { _ in client.request() }
                try await client.finish()
                try await client.run { false }
                #expect(streams.allSatisfy { client[$0].text == "whole" })
            }
        }
    }
}
