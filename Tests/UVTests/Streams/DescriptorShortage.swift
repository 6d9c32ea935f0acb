import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import UV

/// A server whose process has no descriptors left, in a process of its own.
struct DescriptorShortage {
    private let clients = 40
    /// Opens whatever becomes free, as file threads do.
    private final class Thief: Sendable {
        private let goesOn = Atomic<Bool>(true)

        func start() {
            Thread { [self] in
                while goesOn.load(ordering: .relaxed) {
                    let loot = unsafe open("/dev/null", O_RDONLY)
                    if loot >= 0 {
                        usleep(100)
                        close(loot)
                    }
                }
            }.start()
        }

        func stop() { goesOn.store(false, ordering: .relaxed) }
    }

    func survive() throws {
        let loop = try Loop()
        let thief = Thief()
        var held: [TCPHandle] = []
        var errors = 0
        var ticks = 0
        var echoed = 0
        let listener = try TCPHandle.listening(on: loop) { listener, connection in
            switch connection {
            case .success(let server):
                held.append(server)
                try! server.startReading(
                    onBytes: { server, bytes in try! server.write(bytes) }, onEnd: { server, _ in server.close() })
            case .failure(let error):
                #expect(error.code == .tooManyOpenFiles)
                errors += 1
            }
        }
        let port = try listener.localAddress.port
        // The kernel connects them; the server has room for a few only.
        let peers = try (0..<clients).map { _ in try FileDescriptor.tcpConnection(toPort: port) }
        let extra = try (0..<20).map { _ in unsafe try FileDescriptor.open("/dev/null", .readOnly) }
        limitDescriptors(to: Int(extra.last!.rawValue) + 9)
        thief.start()

        // Half a second of shortage, or longer on a busy machine: the timer ticks, errors come at their slow pace, those that were accepted
        // are served.
        let ticker = try TimerHandle(on: loop)
        let started = Loop.hrtime
        try peers[0].writeAll([7])
        try ticker.start(after: .zero, every: .milliseconds(5)) { ticker in
            ticks += 1
            if Loop.hrtime - started > .milliseconds(500), ticks > 20, errors >= 2 { try? loop.stop() }
        }
        try loop.run()
        let halves = (Loop.hrtime - started) / .milliseconds(500)
        #expect(Double(errors) <= 15 * halves, "\(errors) errors in \(halves) half seconds")
        #expect(held.count < clients)
        try #expect(peers[0].read(upTo: 1) == [7])

        // Descriptors are free again: everybody is accepted and served.
        for descriptor in extra { try descriptor.close() }
        limitDescriptors(to: 1_000)
        try ticker.start(after: .zero, every: .milliseconds(5)) { _ in if held.count == clients { try? loop.stop() } }
        try loop.run()
        thief.stop()
        #expect(held.count == clients)
        for peer in peers {
            try peer.writeAll([8])
            peer.finishSending()
        }
        listener.close()
        ticker.close()
        try loop.run()
        for peer in peers {
            echoed += try peer.readToEnd().count
            try peer.close()
        }
        #expect(echoed == clients)
        try loop.close()
    }
}
