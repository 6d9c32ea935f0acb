import AsyncUV
import ExampleSupport
import UV

/// The echo server for datagrams: each goes back to where it came from, if there is room for it.
enum DatagramServer {
    /// What has been served.
    struct Tally: CustomStringConvertible {
        var datagrams = 0
        var bytes = 0

        var description: String { "\(count(datagrams, "datagram")), \(count(bytes, "byte"))" }
    }

    /// Serves until SIGINT or SIGTERM, on the callback layer: many datagrams in one system call, both ways.
    static func runWithCallbacks(at address: SocketAddress) throws -> Tally {
        let loop = try Loop()
        let socket = try UDPHandle(on: loop)
        var tally = Tally()
        try socket.bind(to: address)
        try socket.startReceivingBatches(
            onBatch: { socket, batch in
                tally.datagrams += batch.count
                tally.bytes += batch.byteCount
                do { _ = try socket.trySend(batch) } catch { printProblem("cannot answer: \(error)") }
            },
            onError: { _, error in printProblem("\(error)") })
        for signal: Signal in [.interrupt, .terminate] {
            let handle = try SignalHandle(on: loop)
            handle.keepsLoopAlive = false
            try handle.start(signal) { _, _ in socket.close() }
        }
        printLine("listening on \(try socket.localAddress)")
        try loop.run()
        try loop.closeAllHandles()
        try loop.run()
        try loop.close()
        return tally
    }

    /// Serves until SIGINT or SIGTERM, on the async layer.
    static func runAsync(at address: SocketAddress) throws -> Tally {
        try EventLoop.run { loop in
            let socket = try await UDPSocket.bind(to: address)
            let signals = try await Signals.watch(.interrupt, .terminate)
            let serving = loop.spawn { try await serve(socket) }
            printLine("listening on \(socket.localAddress)")
            _ = try await signals.next()
            // That ends the sequence.
            await socket.close()
            return try await serving.value
        }
    }

    private static func serve(_ socket: UDPSocket) async throws -> Tally {
        var tally = Tally()
        for try await element in try await socket.datagrams(queue: 1_024) {
            do {
                let datagram = try element.get()
                tally.datagrams += 1
                tally.bytes += datagram.bytes.count
                try await socket.send(datagram.bytes, to: datagram.from)
            } catch {
                // A client that is gone, say: the others are served on.
                printProblem("\(error)")
            }
        }
        return tally
    }
}
