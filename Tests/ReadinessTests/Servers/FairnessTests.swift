import Readiness
import Synchronization
import Testing

@testable import ServerModels

/// One greedy connection and the others.
@Suite struct FairnessTests {
    /// An edge-triggered server that reads "until it would block" serves nobody else while one client keeps sending.
    /// Here both have sent before the server looks; the short one is answered within the greedy one's first share.
    @Test(arguments: [ServerModel.epollEdge, .epollLevel, .select, .poll, .selector])
    func aGreedySenderStarvesNobody(_ model: ServerModel) async throws {
        let order = Mutex<[UInt8]>([])
        var options = ServerOptions()
        options.chunk = 16
        options.handler = { bytes, _ in
            let sender = bytes[0]
            order.withLock { $0.append(sender) }
        }
        let listener = try Socket.listening(on: .anyLoopback)
        let greedy = try Socket.connected(to: listener.localEndpoint!)
        let modest = try Socket.connected(to: listener.localEndpoint!)
        try greedy.sendAll([UInt8](repeating: 1, count: 16 * 500))
        try modest.sendAll([2])
        let stop = Stop()
        let server = model.server(options)
        async let serving: Void = onThread { try server.run(on: listener, until: stop) }
        try await onThread {
            _ = try modest.receive(count: 1)
            _ = try greedy.receive(count: 16 * 500)
            stop.request()
        }
        try await serving
        let turn = try #require(order.withLock { $0.firstIndex(of: 2) })
        #expect(turn <= EdgeServer.share)
        #expect(order.withLock { $0.count { $0 == 1 } } == 500)
    }

    /// What a peer does not take waits here, at most one chunk; meanwhile nothing is read.
    @Test func aConnectionHoldsAtMostOneChunk() async {
        await #expect(processExitsWith: .success) {
            let (near, far) = try Socket.pair(blocking: false)
            let connection = Connection(near)
            var buffer = [UInt8](repeating: 0, count: 4096)
            var sent = 0
            while true {
                guard case .bytes(let count) = try far.send(pattern(4096)) else { break }
                sent += count
                if case .write = try connection.advance(&buffer, { _, _ in }) { break }
            }
            #expect(connection.pendingCount > 0 && connection.pendingCount <= 4096)
            let held = connection.pendingCount
            guard case .write = try connection.advance(&buffer, { _, _ in }) else { return #expect(Bool(false)) }
            #expect(connection.pendingCount == held)
        }
    }
}
