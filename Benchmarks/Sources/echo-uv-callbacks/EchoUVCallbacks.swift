import ArgumentParser
import Glibc
import ServerSupport
import UV

/// The callback layer of this package, used as its README shows it.
@main struct EchoUVCallbacks: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Option(help: "Listens on a local socket at this path instead.") var local: String?

    func run() throws {
        let loop = try Loop()
        for signal: Signal in [.terminate, .interrupt] {
            try SignalHandle(on: loop).start(signal) { _, _ in try? loop.stop() }
        }
        if let local { return try serveLocally(at: LocalAddress(path: local), on: loop) }
        let server = try TCPHandle(on: loop)
        try server.bind(to: SocketAddress(host: options.host, port: options.port))
        try server.listen(backlog: ServerOptions.backlog) { _, connection in
            guard case .success(let client) = connection else { return }
            do { try client.setNoDelay(enabled: true) } catch { return client.close() }
            echo(client)
        }
        options.announce(port: Int(try server.localAddress.port))
        try loop.run()
    }

    private func serveLocally(at address: LocalAddress, on loop: Loop) throws {
        let server = try PipeHandle(on: loop)
        try server.bind(to: address, replacingStale: true)
        try server.listen(backlog: ServerOptions.backlog) { _, connection in
            if case .success(let client) = connection { echo(client) }
        }
        options.announce(local: "\(address)")
        try loop.run()
        server.close()
        try loop.run(.noWait)
    }
}

private func echo(_ client: StreamHandle) {
    do {
        try client.startReading(
            onBytes: { client, bytes in
                do {
                    let outcome = try client.write(bytes) { client, error in
                        error == nil ? client.resumeReading() : client.close()
                    }
                    if outcome == .queued { client.stopReading() }
                } catch { client.close() }
            },
            onEnd: { client, _ in client.closeAfterWrites() })
    } catch { client.close() }
}
