import ArgumentParser
import AsyncUV
import ServerSupport
import UV

/// Echoes datagrams, on the async layer of this package.
@main struct UDPUVAsync: ParsableCommand {
    @OptionGroup var options: ServerOptions
    @Flag(help: "Receives and sends many datagrams in one system call.") var batches = false
    @Flag(help: "Receives ahead of demand, as a sequence.") var sequence = false

    func run() throws {
        let (options, batches, sequence) = (options, batches, sequence)
        try EventLoop.run { loop in
            let socket = try await UDPSocket.bind(host: options.host, port: options.port)
            options.announce(port: Int(socket.localAddress.port))
            let serving = loop.spawn {
                if batches { return try await echoBatches(socket) }
                if sequence { return try await echoSequence(socket) }
                while !Task.isCancelled {
                    let datagram = try await socket.receive()
                    try await socket.send(datagram.bytes, to: datagram.from)
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

private func echoBatches(_ socket: UDPSocket) async throws {
    var batch = DatagramBatch()
    while !Task.isCancelled {
        try await socket.receiveBatch(into: &batch)
        try await socket.sendBatch(batch)
        batch.removeAll()
    }
}

private func echoSequence(_ socket: UDPSocket) async throws {
    for try await element in try await socket.datagrams(queue: 1_024) {
        if case .success(let datagram) = element { try await socket.send(datagram.bytes, to: datagram.from) }
    }
}
