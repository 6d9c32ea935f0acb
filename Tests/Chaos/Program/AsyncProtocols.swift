import AsyncUV
import AsyncUVHTTP
import AsyncUVTLS
import CChaos
import Foundation
import HTTPTypes
import Synchronization
import SystemPackage
import UV

/// Servers of HTTP and TLS on both loops of a round, and clients that all workers share.
final class Protocols: Sendable {
    /// What a handler throws on purpose.
    struct Whim: Error {}

    private let listeners: [TCPListener]
    private let secureListeners: [TCPListener]
    private let http = HTTPServer()
    let clients: [HTTPClient]
    let ports: [UInt16]
    let securePorts: [UInt16]
    let client: TLSContext
    let server: TLSContext

    init(_ loops: [EventLoop]) async throws {
        func pem(_ name: String) throws -> String {
            let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            return try String(
                contentsOf: tests.appending(path: "AsyncUVTLSTests/Certificates/\(name).pem"), encoding: .utf8)
        }
        client = try .client(trust: .pem(pem("authority")))
        server = try .server(
            identity: TLSIdentity(certificateChainPEM: pem("server"), privateKeyPEM: pem("server.key")))
        var (listeners, secureListeners): ([TCPListener], [TCPListener]) = ([], [])
        for loop in loops {
            listeners.append(try await TCPListener.bind(to: .loopback(port: 0), on: loop))
            secureListeners.append(try await TCPListener.bind(to: .loopback(port: 0), on: loop))
        }
        (self.listeners, self.secureListeners) = (listeners, secureListeners)
        ports = listeners.map(\.localAddress.port)
        securePorts = secureListeners.map(\.localAddress.port)
        var configuration = HTTPClient.Configuration()
        configuration.connectionsPerServer = 4
        configuration.waitTimeout = .seconds(20)
        clients = loops.map { [configuration] in HTTPClient(configuration, on: $0) }
    }

    func serve() -> [Task<Void, any Error>] {
        listeners.map { [http] listener in
            listener.loop.spawn {
                try await http.serve(listener, maxConnections: 16, onError: { error, _ in Self.look(error) }) {
                    try await Self.answer($0, $1)
                }
            }
        }
            + secureListeners.map { [server] listener in
                listener.loop.spawn {
                    try await listener.serve(
                        tls: server, maxConnections: 16, onError: { error, _ in inspect(error, "a handler of TLS") }
                    ) {
                        try await echo($0)
                    }
                }
            }
    }

    func close() async {
        for client in clients { await client.close() }
        for listener in listeners + secureListeners { await listener.close() }
    }

    /// No handler has used its answer wrongly.
    private static func look(_ error: any Error) {
        inspect(error, "a handler of HTTP")
        guard let error = error as? HTTPServerError, error != .unfinished else { return }
        fail("a handler of HTTP: \(error)")
    }

    static func ask(
        _ client: HTTPClient, _ way: String, _ url: String, _ body: HTTPClientBody
    ) async throws -> HTTPClientResponse {
        if way == "bytes" { return try await client.get(url) }
        return try await client.post(url, body: body)
    }

    /// At once, or in pieces.
    static func body(_ sent: [UInt8], _ dice: inout Dice) -> HTTPClientBody {
        if dice.oneIn(2) { return .bytes(sent) }
        let size = dice.number(1...20_000) + sent.count / 50
        return .pieces(length: dice.oneIn(2) ? sent.count : nil) { writer in
            for start in stride(from: 0, to: sent.count, by: size) {
                try await writer.write(Array(sent[start..<min(start + size, sent.count)]))
            }
        }
    }

    /// Takes nothing of an answer, its beginning, or all of it: then it is whole.
    static func take(_ response: HTTPClientResponse, into flow: Flow, _ way: Int, _ what: String) async throws {
        if way == 0 { return }
        if way == 1 {
            let body = response.body.makeAsyncIterator()
            if let piece = try await body.next() { flow.arrived(piece.span, what) }
            return
        }
        if way == 2 {
            let bytes = try await response.bytes()
            flow.arrived(bytes.span, what)
        } else {
            for try await piece in response.body { flow.arrived(piece.span, what) }
        }
        flow.ended(what)
    }

    static func status(of way: String) -> HTTPResponse.Status {
        switch way {
        case "refuse": .tooManyRequests
        case "throw": .internalServerError
        default: .ok
        }
    }

    /// What no fault of the system explains.
    static func check(_ error: any Error, _ what: String) {
        guard let error = error as? HTTPClientError else { return }
        switch error.kind {
        case .waitTimeout, .connectTimeout, .responseTimeout, .bodyTimeout, .truncated: break
        default: fail("\(what): \(error)")
        }
    }

    /// Answers `/WAY/STREAM/COUNT`: so many bytes of a stream come, or are to be sent.
    private static func answer(_ request: HTTPServerRequest, _ response: HTTPServerResponse) async throws {
        let path = request.head.path ?? ""
        let parts = path.split(separator: "/")
        guard parts.count == 3, let name = UInt8(parts[1]), let count = UInt64(parts[2]) else {
            return try await response.send(.notFound)
        }
        let what = "the server of \(path)"
        let input = Flow(name)
        input.sent = count
        switch parts[0] {
        case "echo":
            var bytes: [UInt8] = []
            for try await piece in request.body {
                input.arrived(piece.span, what)
                bytes += piece
            }
            input.ended(what)
            try await response.send(.ok, [:], bytes)
        case "pipe":
            try await response.stream(length: count % 2 == 0 ? Int(count) : nil) { writer in
                for try await piece in request.body {
                    input.arrived(piece.span, what)
                    try await writer.write(piece)
                }
                input.ended(what)
            }
        case "bytes":
            let output = Flow(name)
            try await response.stream(length: count % 2 == 0 ? Int(count) : nil) { writer in
                while output.sent < count {
                    let bytes = output.nextBytes(min(10_000, Int(count - output.sent)))
                    output.sent += UInt64(bytes.count)
                    try await writer.write(bytes)
                }
            }
        case "part":
            if let piece = try await request.body.makeAsyncIterator().next() { input.arrived(piece.span, what) }
            try await response.send(.ok)
        case "nothing": try await response.send(.ok)
        case "refuse": throw HTTPRefusal(.tooManyRequests, "chaos")
        case "throw": throw Whim()
        case "socket":
            try await response.webSocket(for: request) { socket in
                for try await message in socket {
                    if case .binary(let bytes) = message { input.arrived(bytes.span, what) }
                    try await socket.send(message)
                }
            }
        default: try await response.send(.notFound)
        }
    }
}

extension AsyncWorker {
    // MARK: HTTP

    /// A request, whose answer is taken, or not. An answer that ends well is whole, whatever the system does.
    func http(_ dice: inout Dice) async throws {
        let protocols = round.protocols
        let port = protocols.ports[dice.number(0...1)]
        let client = protocols.clients[dice.number(0...1)]
        let way = ["echo", "echo", "pipe", "pipe", "bytes", "part", "nothing", "refuse", "throw"][dice.number(0...8)]
        let name = UInt8(dice.number(1...255))
        let sent = way == "bytes" ? [] : Flow(name).nextBytes(dice.size())
        let count = way == "bytes" ? dice.size() : sent.count
        let body = Protocols.body(sent, &dice)
        let flow = Flow(name)
        flow.sent = UInt64(count)
        let what = "worker \(number), HTTP \(way) of stream \(name)"
        do {
            let url = "http://127.0.0.1:\(port)/\(way)/\(name)/\(count)"
            let response = try await Protocols.ask(client, way, url, body)
            if response.status != Protocols.status(of: way), !round.endsEarly {
                fail("\(what): the answer is \(response.status)")
            }
            guard ["echo", "pipe", "bytes"].contains(way) else {
                if dice.oneIn(2) { _ = try await response.bytes() }
                return
            }
            try await Protocols.take(response, into: flow, dice.number(0...4), what)
        } catch {
            Protocols.check(error, what)
            throw error
        }
    }

    /// A conversation in messages: each comes back once, as it was, in order.
    func webSocket(_ dice: inout Dice) async throws {
        let protocols = round.protocols
        let port = protocols.ports[dice.number(0...1)]
        let client = protocols.clients[dice.number(0...1)]
        let name = UInt8(dice.number(1...255))
        let what = "worker \(number), WebSocket \(name)"
        let total = 1_000_000
        let (output, input) = (Flow(name), Flow(name))
        let socket = try await client.webSocket("ws://127.0.0.1:\(port)/socket/\(name)/\(total)")
        do {
            for _ in 0..<dice.number(0...6) {
                let bytes = output.nextBytes(dice.number(0...dice.number(1...70_000)))
                output.sent += UInt64(bytes.count)
                input.sent = output.sent
                try await socket.send(bytes)
                guard let message = try await socket.next() else {
                    if round.endsEarly || round.hasFaults { break }
                    fail("\(what): the server says goodbye")
                }
                guard case .binary(let found) = message else { fail("\(what): a text that nobody sent") }
                if found != bytes { fail("\(what): \(found.count) bytes come back of \(bytes.count), or wrong ones") }
                input.arrived(found.span, what)
            }
            if dice.oneIn(3) { await socket.stream.close() } else { await socket.close() }
        } catch {
            await socket.stream.close()
            if let error = error as? WebSocketError, [.protocolViolation, .invalidText, .tooLarge].contains(error.kind)
            {
                fail("\(what): \(error)")
            }
            throw error
        }
    }

    // MARK: TLS

    func secureEcho(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let connection = try await TLSConnection.connect(
            host: "127.0.0.1", port: round.protocols.securePorts[dice.number(0...1)], context: round.protocols.client,
            serverName: "localhost", timeout: .seconds(20), on: loop)
        try await echo(connection, &dice)
    }

    /// One side writes, and the connection may be cut before the end: the other must not take that for an end.
    func cut(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let protocols = round.protocols
        let flow = Flow(UInt8(dice.number(1...255)))
        let what = "worker \(number), TLS stream \(flow.name)"
        var chunks: [[UInt8]] = []
        for _ in 0..<dice.number(0...4) {
            chunks.append(flow.nextBytes(dice.size()))
            flow.sent += UInt64(chunks[chunks.count - 1].count)
        }
        let (near, far) = try await LocalConnection.pair(on: loop)
        let serving = loop.spawn {
            try await TLSConnection.secure(far, as: .server, context: protocols.server, timeout: .seconds(20))
        }
        let writer: TLSConnection
        do {
            writer = try await TLSConnection.secure(
                near, as: .client, context: protocols.client, serverName: "localhost", timeout: .seconds(20))
        } catch {
            serving.cancel()
            if case .success(let reader) = await serving.result { await reader.close() }
            throw error
        }
        let reader: TLSConnection
        do { reader = try await serving.value } catch {
            await writer.close()
            throw error
        }
        let isWhole = dice.oneIn(2)
        let finishes = dice.oneIn(2)
        let writing = loop.spawn { [chunks] in
            do {
                for chunk in chunks { try await writer.write(chunk) }
                if isWhole, finishes { try await writer.finishWriting() }
            } catch {
                await writer.abort()
                throw error
            }
            if isWhole { await writer.close() } else { await writer.abort() }
        }
        defer { writing.cancel() }
        do {
            while let bytes = try await reader.read(upTo: dice.number(1...100_000)) { flow.arrived(bytes.span, what) }
            if !isWhole { fail("\(what): a connection that was cut has a clean end") }
            flow.ended(what)
        } catch {
            await reader.close()
            _ = await writing.result
            throw error
        }
        await reader.close()
        try await writing.value
    }

    /// A peer that speaks neither HTTP nor TLS.
    func stranger(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let ports = dice.oneIn(2) ? round.protocols.ports : round.protocols.securePorts
        let socket = chaos_connect(ports[dice.number(0...1)])
        guard socket >= 0 else { return }
        defer { if dice.oneIn(2) { chaos_reset(socket) } else { chaos_close(socket) } }
        for _ in 0..<dice.number(1...3) {
            _ = chaos_send(socket, UInt8(dice.number(1...255)), UInt64(dice.number(0...100)), dice.number(0...3_000))
            try await loop.sleep(for: .milliseconds(dice.number(0...3)))
        }
    }

    // MARK: Terminals

    /// What is typed comes once and in order, and so does what is printed; the terminal has its own mode again afterwards.
    func terminal(_ dice: inout Dice, _ loop: EventLoop) async throws {
        var (person, program): (CInt, CInt) = (-1, -1)
        guard unsafe chaos_terminal(&person, &program) == 0 else { return }
        defer {
            chaos_close(person)
            chaos_close(program)
        }
        let what = "worker \(number), terminal"
        let terminal = try await Terminal.open(FileDescriptor(rawValue: program), on: loop)
        do {
            try await terminal.setMode(.binary)
            let (typed, printed) = (Flow(UInt8(dice.number(1...255))), Flow(UInt8(dice.number(1...255))))
            var (name, place): (CInt, UInt64) = (CInt(printed.name), 0)
            for _ in 0..<dice.number(1...5) {
                typed.sent += UInt64(chaos_type(person, typed.name, typed.sent, dice.number(1...1_000)))
                while typed.received < typed.sent {
                    let limit = dice.number(1...2_000)
                    guard let bytes = try await terminal.read(upTo: limit, timeout: .seconds(20)) else {
                        fail("\(what): it ends")
                    }
                    typed.arrived(bytes.span, what)
                }
                let bytes = printed.nextBytes(dice.number(1...1_000))
                printed.sent += UInt64(bytes.count)
                try await terminal.write(bytes)
                let start = LoopClock.Instant.now
                while place < printed.sent {
                    if unsafe chaos_take_printed(person, &name, &place) == -2 || place > printed.sent {
                        fail("\(what): wrong bytes are printed")
                    }
                    if start.duration(to: .now) > .seconds(20) {
                        fail("\(what): \(place) of \(printed.sent) bytes are printed")
                    }
                    if place < printed.sent { try await loop.sleep(for: .milliseconds(1)) }
                }
            }
        } catch {
            await terminal.close()
            if chaos_is_cooked(program) == 0 { fail("\(what): it keeps its mode after an error") }
            throw error
        }
        await terminal.close()
        if chaos_is_cooked(program) == 0 { fail("\(what): it keeps its mode") }
    }
}
