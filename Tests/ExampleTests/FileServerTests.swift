import AsyncUV
import ExampleHTTP
import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import file_server

/// The server over real connections, with a directory made for each test.
@Suite(.ownThread) struct FileServerTests {
    @Test func servesFilesAndTheirParts() throws {
        try withServer { server in
            let whole = try await server.get("/hello.txt")
            #expect(whole.status == 200 && whole.body == "hello\n" && whole.fields["content-length"] == "6")
            #expect(whole.fields["content-type"] == "text/plain; charset=utf-8" && whole.fields["date"] != nil)
            let head = try await server.answers("HEAD /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(
                head.text.hasPrefix("HTTP/1.1 200 OK\r\n") && head.body == "" && head.fields["content-length"] == "6")
            let part = try await server.get("/hello.txt", "Range: bytes=1-2\r\n")
            #expect(part.status == 206 && part.body == "el" && part.fields["content-range"] == "bytes 1-2/6")
            let none = try await server.get("/hello.txt", "Range: bytes=6-\r\n")
            #expect(none.status == 416 && none.fields["content-range"] == "bytes */6")
            let tag = try #require(whole.fields["etag"]), date = try #require(whole.fields["last-modified"])
            let same = try await server.get("/hello.txt", "If-None-Match: \(tag)\r\n")
            #expect(same.status == 304 && same.body == "" && same.fields["etag"] == tag)
            #expect(try await server.get("/hello.txt", "If-Modified-Since: \(date)\r\n").status == 304)
            #expect(try await server.get("/hello.txt", "If-Match: \"other\"\r\n").status == 412)
            let missing = try await server.answers("HEAD /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(missing.status == 404 && missing.body == "")
        }
    }

    @Test func sendsLargeFilesWholeAndInPart() throws {
        try withServer { server in
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await FileSystem.writeFile(server.root.appending("large.bin"), bytes, durably: false)
            #expect(try await server.get("/large.bin").bytes == bytes)
            let part = try await server.get("/large.bin", "Range: bytes=100000-250000\r\n")
            #expect(part.status == 206 && part.bytes == Array(bytes[100_000...250_000]))
        }
    }

    @Test func listsDirectories() throws {
        try withServer { server in
            let name = "<i>&\"it's\" 100%?#:.txt"
            try await FileSystem.writeFile(server.root.appending("list").appending(name), [], durably: false)
            let page = try await server.get("/list/")
            #expect(page.fields["content-type"] == "text/html; charset=utf-8" && !page.body.contains("<i>"))
            #expect(page.body.contains("&lt;i&gt;&amp;&quot;it&#39;s&quot; 100%?#:.txt</a>"))
            let link = try #require(page.body.firstMatch(of: /href="(%3C[^"]*)"/)).1
            #expect(try await server.get("/list/\(link)").status == 200)
            #expect(!page.body.contains("hidden") && page.body.contains("href=\"../\""))
            #expect(try await server.get("/with-index/").body == "the index")
            // A host's name in the place of the path would be a way out.
            let moved = try await server.get("//list?a=b")
            #expect(moved.status == 301 && moved.fields["location"] == "/list/?a=b")
        }
    }

    @Test func staysInTheDirectory() throws {
        try withServer { server in
            let targets = [
                "/../secret", "/%2e%2e/secret", "/list/../../secret", "/list/%2e%2e/%2e%2e/secret", "/link-out",
                "/directory-out/secret", "/index-out/", "/.hidden", "/list/.", "/..%2fsecret", "/%00",
            ]
            for target in targets {
                let answer = try await server.get(target)
                #expect([400, 403].contains(answer.status) && !answer.body.contains("secret"), "\(target)")
            }
            #expect(try await server.get("/link-in").body == "hello\n")
            // Neither a directory nor a file; opening it the usual way would wait for a writer.
            #expect(try await server.get("/fifo").status == 403)
            #expect(try await server.get("/hello.txt/").status == 404)
            #expect(try await server.get("/hello.txt/x").status == 404)
            #expect(try await server.get("/\(String(repeating: "x", count: 300))").status == 404)
            #expect(try await server.get("/loop").status == 404)
        }
    }

    @Test("A directory that somebody swaps for a link all the time leads nowhere else")
    func staysInTheDirectoryMeanwhile() throws {
        try withServer { server in
            let (inside, link) = (server.root.appending("swapped"), server.root.appending("swap"))
            try await FileSystem.makeDirectory(inside)
            try await FileSystem.writeFile(inside.appending("secret"), Array("mine".utf8), durably: false)
            try await FileSystem.symlink(to: "..", at: link)
            let swapper = Swapper(inside, link, aside: server.root.appending("aside"))
            Thread { swapper.run() }.start()
            var mine = 0
            for round in 0..<600 {
                let target = round % 3 == 2 ? "/swapped/" : "/swapped/secret"
                let answer = try await server.get(target)
                let isMine = answer.status == 200
                #expect(isMine || [403, 404].contains(answer.status))
                if isMine {
                    mine += 1
                    #expect(round % 3 == 2 ? !answer.body.contains("site/") : answer.body == "mine")
                }
            }
            #expect(mine > 0)
            swapper.stop()
        }
    }

    @Test func keepsConnectionsAndAnswersInOrder() throws {
        try withServer { server in
            let get = "GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"
            let post = "POST /hello.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
            let last = "GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            let text = try await server.answers(get + post + get + last + get).text
            let codes = text.matches(of: /HTTP\/1\.1 (\d+)/).map { $0.1 }
            #expect(codes == ["200", "405", "200", "404"] && text.contains("Allow: GET, HEAD\r\n"))
            let bad = try await server.answers("GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n" + get)
            #expect(bad.status == 400 && bad.fields["connection"] == "close")
            #expect(server.server.tally.connections == 2 && server.server.tally.requests == 5)
        }
    }

    @Test func endsWhatIsTooSlow() throws {
        let limits = ServerLimits(idle: .milliseconds(300), request: .milliseconds(600), connections: 10)
        try withServer(limits) { server in
            // Nothing at all.
            let silent = try await server.connect()
            #expect(try await silent.read() == nil)
            // A byte now and then, which is not idle.
            let slow = try await server.connect()
            let drips = slow.loop.spawn {
                for byte in "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy".utf8 {
                    try await slow.write([byte])
                    try await slow.loop.sleep(for: .milliseconds(50))
                }
            }
            #expect(try await Reply(slow).status == 408)
            drips.cancel()
            // A request and no reading of the answer.
            try await FileSystem.writeFile(
                server.root.appending("huge.bin"), [UInt8](repeating: 1, count: 32 << 20), durably: false)
            let deaf = try await server.connect()
            try await deaf.write(Array("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            while server.server.tally.timeouts < 3 { try await deaf.loop.sleep(for: .milliseconds(10)) }
            #expect(server.server.tally.requests == 1)
            for client in [silent, slow, deaf] { await client.close() }
        }
    }

    @Test func aSlowButSteadyReaderGetsAll() throws {
        let limits = ServerLimits(idle: .milliseconds(300 * patience), request: .seconds(30), connections: 10)
        try withServer(limits) { server in
            let size = 24 << 20
            try await FileSystem.writeFile(
                server.root.appending("huge.bin"), [UInt8](repeating: 1, count: size), durably: false)
            let client = try await server.connect()
            try await client.write(Array("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            let start = LoopClock.Instant.now
            var count = 0
            while count < size {
                // The transfer takes several idle timeouts.
                try await client.loop.sleep(for: limits.idle / 10)
                let end = count + (1 << 20)
                while count < min(end, size), let bytes = try await client.read() { count += bytes.count }
            }
            #expect(count >= size && LoopClock.Instant.now - start > limits.idle * 2)
            #expect(server.server.tally.timeouts == 0)
            await client.close()
        }
    }

    @Test func slowReadersHoldNoThread() throws {
        try withServer { server in
            try await FileSystem.writeFile(
                server.root.appending("huge.bin"), [UInt8](repeating: 1, count: 32 << 20), durably: false)
            // More than there are threads in the pool.
            var deaf: [TCPConnection] = []
            for _ in 0..<8 {
                let client = try await server.connect()
                try await client.write(Array("GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
                _ = try await client.readUntil(UInt8(ascii: "\n"))
                deaf.append(client)
            }
            for _ in 0..<20 {
                let answer = try await withTimeout(.seconds(60 * patience)) { try await server.get("/hello.txt") }
                #expect(answer.status == 200)
            }
            #expect(server.server.tally.requests == 20)
            for client in deaf { await client.close() }
        }
    }

    @Test func makesRoomForNewClients() throws {
        try withServer(ServerLimits(idle: .seconds(60), request: .seconds(60), connections: 3)) { server in
            var waiting: [TCPConnection] = []
            for _ in 0..<3 {
                let client = try await server.connect()
                // One after the other, and each has begun to wait.
                try await client.write(Array("GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
                _ = try await client.readUntil(UInt8(ascii: "\n"))
                waiting.append(client)
            }
            #expect(try await server.get("/hello.txt").status == 200)
            // The oldest has gone, the others have not.
            while try await waiting[0].read() != nil {}
            #expect(server.server.tally.displaced == 1)
            for client in waiting { await client.close() }
        }
    }
}

/// A server, the directory that it serves, and its address.
private struct TestServer: Sendable {
    let server: Server
    let root: FilePath
    let address: SocketAddress

    func connect() async throws -> TCPConnection { try await TCPConnection.connect(to: address) }

    /// What comes for some text up to the end of the connection.
    func answers(_ text: String) async throws -> Reply {
        let client = try await connect()
        try await client.write(Array(text.utf8))
        let reply = try await Reply(client)
        await client.close()
        return reply
    }

    func get(_ target: String, _ fields: String = "") async throws -> Reply {
        try await answers("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(fields)\r\n")
    }
}

/// All that comes on a connection; status, fields and body are those of the first answer.
private struct Reply {
    let text: String
    let bytes: [UInt8]
    let status: Int
    let fields: [String: String]
    var body: String { String(decoding: bytes, as: UTF8.self) }

    init(_ client: TCPConnection) async throws {
        var all: [UInt8] = []
        while let more = try await client.read() { all += more }
        text = String(decoding: all, as: UTF8.self)
        let end = try #require(all.firstRange(of: Array("\r\n\r\n".utf8)))
        bytes = Array(all[end.upperBound...])
        let lines = String(decoding: all[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        status = Int(lines[0].split(separator: " ")[1]) ?? 0
        fields = Dictionary(
            uniqueKeysWithValues: lines.dropFirst().map { line in
                let parts = line.split(separator: ": ", maxSplits: 1)
                return (parts[0].lowercased(), String(parts[1]))
            })
    }
}

/// Lets a directory and a link change places, on a thread of its own.
private final class Swapper: Sendable {
    private let paths: (FilePath, FilePath, aside: FilePath)
    private let state = Mutex((goesOn: true, hasEnded: false))

    init(_ one: FilePath, _ other: FilePath, aside: FilePath) { paths = (one, other, aside) }

    func run() {
        let (one, other, aside) = (paths.0.string, paths.1.string, paths.aside.string)
        while state.withLock({ $0.goesOn }) {
            unsafe rename(one, aside)
            unsafe rename(other, one)
            unsafe rename(aside, other)
        }
        state.withLock { $0.hasEnded = true }
    }

    func stop() {
        state.withLock { $0.goesOn = false }
        while !state.withLock({ $0.hasEnded }) { usleep(1_000) }
    }
}

/// Runs a server for a body, on one loop with it.
private func withServer(
    _ limits: ServerLimits = ServerLimits(idle: .seconds(30), request: .seconds(30), connections: 100),
    _ body: @escaping @Sendable (TestServer) async throws -> Void
) throws {
    try withoutDescriptorLeak {
        try EventLoop.run { loop in
            let home = try await FileSystem.makeTemporaryDirectory(prefix: "file-server-")
            defer { try? FileManager.default.removeItem(atPath: home.string) }
            let root = try await fill(home)
            let server = try await Server(site: Site(root: root), limits: limits)
            let listener = try await TCPListener.bind(host: "127.0.0.1", port: 0)
            let serving = loop.spawn { try await server.serve(listener) }
            try await body(TestServer(server: server, root: root, address: listener.localAddress))
            await listener.close()
            serving.cancel()
            _ = await serving.result
        }
    }
}

/// Makes a site, with things beside it that it must not show.
private func fill(_ home: FilePath) async throws -> FilePath {
    let root = home.appending("site")
    for directory in ["list", "with-index", "index-out"] {
        try await FileSystem.makeDirectory(root.appending(directory), withIntermediates: true)
    }
    for (path, text) in [
        ("secret", "secret"), ("site/hello.txt", "hello\n"), ("site/.hidden", "secret"),
        ("site/list/.hidden", "secret"),
        ("site/with-index/index.html", "the index"),
    ] { try await FileSystem.writeFile(home.pushing(FilePath(path)), Array(text.utf8), durably: false) }
    for (path, target) in [
        ("link-out", "../secret"), ("directory-out", ".."), ("index-out/index.html", "../../secret"),
        ("link-in", "list/../hello.txt"), ("loop", "loop"),
    ] { try await FileSystem.symlink(to: FilePath(target), at: root.pushing(FilePath(path))) }
    let made = unsafe mkfifo(root.appending("fifo").string, 0o600)
    #expect(made == 0)
    return root
}
