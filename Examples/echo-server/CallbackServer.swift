import ExampleSupport
import Foundation
import UV

/// The echo server on the callback layer: one thread, one closure for each thing that can happen.
final class CallbackServer {
    /// How long clients that do not read may hold up the end.
    private static let grace = Duration.seconds(1)

    private let loop: Loop
    private var listener: StreamHandle?
    private let idleTimeout: Duration?
    private var refusals = RefusalLog()
    private var tally = Tally()

    init(idleTimeout: Duration?) throws {
        self.idleTimeout = idleTimeout
        loop = try Loop()
    }

    /// Serves until SIGINT or SIGTERM.
    func run(at address: SocketAddress) throws -> Tally {
        let listener = try TCPHandle(on: loop)
        try listener.bind(to: address)
        return try run(listener) { "\(try listener.localAddress)" }
    }

    /// Serves a local socket until SIGINT or SIGTERM.
    func run(at address: LocalAddress) throws -> Tally {
        let listener = try PipeHandle(on: loop)
        try listener.bind(to: address, replacingStale: true)
        return try run(listener) { "\(try listener.localAddress)" }
    }

    private func run(_ listener: some StreamHandle & ListeningStream, at address: () throws -> String) throws -> Tally {
        self.listener = listener
        try listener.listen(backlog: 1_024) { [self] _, connection in
            switch connection {
            case .success(let client): serve(client)
            // Out of descriptors, say: the listener waits a little and goes on by itself.
            case .failure(let error): refusals.add(error)
            }
        }
        for signal: Signal in [.interrupt, .terminate] {
            let handle = try SignalHandle(on: loop)
            handle.keepsLoopAlive = false
            try handle.start(signal) { [self] _, _ in end() }
        }
        printLine("listening on \(try address())")
        try loop.run()
        try loop.closeAllHandles()
        try loop.run()
        try loop.close()
        return tally
    }

    private func serve(_ client: StreamHandle) {
        tally.connections += 1
        refusals.accepted()
        do {
            try EchoConnection(client, idleTimeout: idleTimeout) { [self] in tally.bytes += $0 }.start()
        } catch {
            printProblem("cannot serve a client: \(error)")
            client.close()
        }
    }

    /// No new clients; the ones there are get what is on its way to them. Then nothing keeps the loop alive.
    private func end() {
        listener?.close()
        for case let client as StreamHandle in loop.handles { client.closeAfterWrites() }
        do {
            let timer = try TimerHandle(on: loop)
            timer.keepsLoopAlive = false
            try timer.start(after: Self.grace) { [self] _ in try? loop.stop() }
        } catch { try? loop.stop() }
    }
}
