import ArgumentParser
import ServerSupport
import UV

/// Echoes datagrams, on the callback layer of this package.
@main struct UDPUVCallbacks: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Flag(help: "Receives and sends many datagrams in one system call.") var batches = false

    func run() throws {
        let loop = try Loop()
        for signal: Signal in [.terminate, .interrupt] {
            try SignalHandle(on: loop).start(signal) { _, _ in try? loop.stop() }
        }
        let socket = try UDPHandle(on: loop)
        try socket.bind(to: SocketAddress(host: options.host, port: options.port))
        if batches {
            try socket.startReceivingBatches(
                onBatch: { socket, batch in _ = try? socket.trySend(batch) }, onError: { _, _ in })
        } else {
            try socket.startReceiving(
                onDatagram: { socket, bytes, info in _ = try? socket.trySend(bytes, to: info.from) },
                onError: { _, _ in })
        }
        options.announce(port: Int(try socket.localAddress.port))
        try loop.run()
    }
}
