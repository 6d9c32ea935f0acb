import ArgumentParser
import AsyncUV
import Glibc
import ServerSupport
import UV

/// The async layer of this package, used as its README shows it.
@main struct EchoUVAsync: ParsableCommand {
    @OptionGroup var options: ServerOptions

    func run() throws {
        let options = options
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listener.localAddress.port))
            let serving = loop.spawn {
                try await listener.serve { connection in
                    try await connection.setNoDelay(true)
                    for try await chunk in connection { try await connection.write(chunk) }
                }
            }
            try await loop.withLoop { loop in
                for number in [SIGTERM, SIGINT] {
                    try SignalHandle(on: loop).start(number) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }
}
