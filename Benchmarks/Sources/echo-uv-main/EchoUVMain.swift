import ArgumentParser
import AsyncUV
import ServerSupport
import UV
import UVMainExecutor

/// As echo-uv-async, on a loop that is the executor of everything.
@main struct EchoUVMain: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Flag(help: "A task of the main actor for each connection, which prefers no executor, in place of `serve`.")
    var tasks = false

    func run() throws {
        let (options, tasks) = (options, tasks)
        try MainLoop.run {
            let listener = try await TCPListener.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listener.localAddress.port))
            let serving = Task {
                guard tasks else {
                    return try await listener.serve { connection in
                        for try await chunk in connection { try await connection.write(chunk) }
                    }
                }
                for try await connection in listener.connections {
                    Task {
                        do {
                            for try await chunk in connection { try await connection.write(chunk) }
                        } catch { print(error) }
                        await connection.close()
                    }
                }
            }
            try await EventLoop.shared.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }
}
