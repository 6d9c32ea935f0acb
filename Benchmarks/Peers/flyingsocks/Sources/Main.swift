// An echo server for the report, as FlyingFox's own HTTP server uses its sockets: a pool, and a task for each connection.
import FlyingSocks
import Foundation

@main struct EchoFlyingSocks {
    static func main() async throws {
        signal(SIGTERM) { _ in _exit(0) }
        signal(SIGPIPE, SIG_IGN)
        let pool: some AsyncSocketPool = .ePoll()
        try await pool.prepare()
        let socket = try Socket(domain: Int32(AF_INET), type: .stream)
        try socket.setValue(true, for: .localAddressReuse)
        try socket.bind(to: .inet(ip4: "127.0.0.1", port: option("--port").flatMap(UInt16.init) ?? 0))
        try socket.listen(maxPendingConnection: 1_024)
        guard case .ip4(let host, let port) = try socket.sockname() else { throw SocketError.unsupportedAddress }
        print("listening on \(host):\(port)")
        fflush(nil)
        let listener = try AsyncSocket(socket: socket, pool: pool)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            group.addTask {
                try await withThrowingDiscardingTaskGroup { connections in
                    for try await connection in listener.sockets {
                        connections.addTask { await echo(connection) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func echo(_ connection: AsyncSocket) async {
        defer { try? connection.close() }
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout.size(ofValue: yes))
        setsockopt(connection.socket.file.rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
        // Its reads take 4 KiB at most.
        while let bytes = try? await connection.read(atMost: 4_096) {
            guard (try? await connection.write(Data(bytes))) != nil else { return }
        }
    }

    private static func option(_ name: String) -> String? {
        let words = CommandLine.arguments
        return words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }
}
