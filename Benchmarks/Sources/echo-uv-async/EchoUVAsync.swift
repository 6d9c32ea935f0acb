import ArgumentParser
import AsyncUV
import Glibc
import ServerSupport
import UV

/// The async layer of this package, used as its README shows it.
@main struct EchoUVAsync: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "Answers each so many bytes by themselves.") var split: Int?
    @Flag(help: "Writes each answer by itself; otherwise those of one read leave together.") var each = false

    @Option(help: "An idle timeout of each connection, in seconds.") var idleTimeout: Int?
    @Option(help: "A timeout of each read, in seconds.") var readTimeout: Int?
    @Flag(help: "A task of one's own for each connection, in place of `serve`.") var tasks = false
    @Option(help: "Loops, each with a thread of its own.") var loops = 1
    @Option(help: "Listens on a local socket at this path instead.") var local: String?

    func run() throws {
        if let local { return try serveLocally(at: local) }
        if loops > 1 { return try serve(loops: loops) }
        let (options, split, each, tasks) = (options, split, each, tasks)
        let (idleTimeout, readTimeout) = (
            idleTimeout.map { Duration.seconds($0) }, readTimeout.map { Duration.seconds($0) }
        )
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listener.localAddress.port))
            let serving = loop.spawn {
                if tasks {
                    for try await connection in listener.connections {
                        loop.spawn(onError: { print($0) }) {
                            for try await chunk in connection { try await connection.write(chunk) }
                            await connection.close()
                        }
                    }
                    return
                }
                if let split {
                    return try await listener.serve { try await answer($0, split, each) }
                }
                if let readTimeout {
                    return try await listener.serve(idleTimeout: idleTimeout) { connection in
                        while let chunk = try await connection.read(timeout: readTimeout) {
                            try await connection.write(chunk)
                        }
                    }
                }
                try await listener.serve(idleTimeout: idleTimeout) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }

    /// Loops with a thread each, and the first's one that only waits for the end.
    private func serve(loops: Int) throws {
        let options = options
        try EventLoop.run { loop in
            let group = try await EventLoopGroup(count: loops)
            let listeners = try await group.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listeners[0].localAddress.port))
            let serving = loop.spawn {
                try await EventLoopGroup.serve(listeners) { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
            await group.shutdown()
        }
    }

    private func serveLocally(at local: String) throws {
        let options = options
        try EventLoop.run { loop in
            let listener = try await LocalListener.bind(to: LocalAddress(path: local), replacingStale: true)
            options.announce(local: local)
            let serving = loop.spawn {
                try await listener.serve { connection in
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }
}

/// One answer for each message of so many bytes.
private func answer(_ connection: TCPConnection, _ size: Int, _ each: Bool) async throws {
    for try await chunk in connection {
        let answers = stride(from: 0, to: chunk.count, by: size).map { Array(chunk[$0..<min($0 + size, chunk.count)]) }
        if each {
            for answer in answers { try await connection.write(answer) }
        } else {
            try await connection.write(contentsOf: answers)
        }
    }
}
