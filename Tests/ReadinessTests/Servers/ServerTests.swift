import Readiness
import ServerModels
import TestSupport
import Testing

@testable import io_models

/// What every server model does: one suite over all of them. Each test has a process of
/// its own: select needs descriptors below 1,024, and a server must not wait for threads of other suites.
@Suite(.serialized, .inTurn) struct ServerTests {
    @Test(arguments: ServeModel.allCases) func echoes(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await withServer(model.server()) { endpoint, _ in
                let client = try Socket.connected(to: endpoint)
                for round in 1...20 {
                    let message = pattern(round * 50, seed: round)
                    try client.sendAll(message)
                    #expect(try client.receive(count: message.count) == message)
                }
            }
        }
    }

    @Test(arguments: ServeModel.allCases) func echoesAMebibyteBothWaysAtOnce(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            let message = pattern(1 << 20)
            let reply = try await withServer(model.server()) { endpoint, _ in
                let client = try Socket.connected(to: endpoint)
                try WorkerThread.start {
                    try? client.sendAll(message)
                    try? client.shutdown(.sending)
                }
                return try client.receiveAll()
            }
            #expect(reply == message)
        }
    }

    /// The client ends its own direction first: everything still comes back, and then the end.
    @Test(arguments: ServeModel.allCases) func answersAHalfClosedConnection(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            let message = pattern(100_000)
            try await withServer(model.server()) { endpoint, _ in
                let client = try Socket.connected(to: endpoint)
                try client.sendAll(message)
                try client.shutdown(.sending)
                #expect(try client.receiveAll() == message)
            }
        }
    }

    @Test(arguments: ServeModel.allCases) func survivesResets(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await withServer(model.server()) { endpoint, _ in
                for _ in 0..<20 {
                    let rude = try Socket.connected(to: endpoint)
                    try rude.sendAll(pattern(200_000))  // the echo will find nobody
                    try rude.resetOnClose()
                }
                let client = try Socket.connected(to: endpoint)
                try client.send("still there?")
                #expect(try client.receive(count: 12).count == 12)
            }
        }
    }

    /// 200 clients are there at once; all but the blocking model serve the last before the first.
    @Test(arguments: ServeModel.allCases) func serves200Clients(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await withServer(model.server()) { endpoint, _ in
                var clients = try (0..<200).map { _ in try Socket.connected(to: endpoint) }
                if model.isConcurrent { clients.reverse() }
                var replies = 0
                for number in 0..<200 {
                    let client = clients.removeFirst()
                    let message = pattern(100, seed: number)
                    try client.sendAll(message)
                    try client.shutdown(.sending)
                    if try client.receiveAll() == message { replies += 1 }
                }
                #expect(replies == 200)
            }
        }
    }

    /// A client that sends but does not read stops being read; others do not notice; nothing is lost.
    @Test(arguments: ServeModel.allCases) func slowReadersHoldUpNobody(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            let message = pattern(16 << 20)
            let reply = try await withServer(model.server()) { endpoint, _ in
                let slow = try Socket.connected(to: endpoint)
                try slow.set(.receiveBufferSize, to: 65_536)
                try WorkerThread.start {
                    try? slow.sendAll(message)
                    try? slow.shutdown(.sending)
                }
                if model.isConcurrent {
                    for _ in 0..<10 {
                        let other = try Socket.connected(to: endpoint)
                        try other.sendAll(pattern(1000))
                        #expect(try other.receive(count: 1000) == pattern(1000))
                    }
                }
                return try slow.receiveAll()
            }
            #expect(reply == message)
        }
    }

    /// With connections open, one of them in the middle of a message that nobody reads.
    @Test(arguments: ServeModel.allCases) func stopsCleanly(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await withServer(model.server()) { endpoint, stop in
                let clients = try (0..<5).map { _ in try Socket.connected(to: endpoint) }
                try clients[0].send("x")
                #expect(try clients[0].receive(count: 1).count == 1)
                try clients[0].setBlocking(false)
                try clients[0].fill()
                stop.request()
                // Every connection ends, also those that were not accepted yet.
                try clients[0].setBlocking(true)
                for client in clients { _ = try? client.receiveAll() }
            }
        }
    }

    @Test(arguments: ServeModel.allCases) func aStopBeforeTheStartHolds(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            let listener = try Socket.listening(on: .anyLoopback)
            let stop = Stop()
            stop.request()
            try await onThread { try model.server().run(on: listener, until: stop) }
        }
    }

    @Test(arguments: ServeModel.allCases.filter { $0.rawValue != "process" }) func runsAnyHandler(
        _ model: ServeModel
    )
        async throws
    {
        var options = ServerOptions()
        options.handler = { bytes, count in for index in 0..<count { bytes[index] &-= 32 } }
        try await withServer(model.server(options)) { endpoint, _ in
            let client = try Socket.connected(to: endpoint)
            try client.send("shout")
            #expect(try client.receive(count: 5) == Array("SHOUT".utf8))
        }
    }

    /// Two seats, three clients: the third is served when one has left.
    @Test(arguments: [ServeModel.readiness(.process), .readiness(.thread)]) func isBounded(_ model: ServeModel)
        async throws
    {
        var options = ServerOptions()
        options.limit = 2
        try await withServer(model.server(options)) { endpoint, _ in
            var clients = try (0..<3).map { _ in try Socket.connected(to: endpoint) }
            for client in clients { try client.send("x") }
            #expect(try clients[0].receive(count: 1).count == 1)
            #expect(try clients[1].receive(count: 1).count == 1)
            try clients[2].setBlocking(false)
            var buffer: [UInt8] = [0]
            #expect(try clients[2].receive(into: &buffer) == .wouldBlock)
            try clients[2].setBlocking(true)
            clients.removeFirst()
            #expect(try clients[1].receive(count: 1).count == 1)
        }
    }

    @Test(arguments: ServeModel.allCases) func leavesNoDescriptorOpen(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await expectNoLeak {
                try await withServer(model.server()) { endpoint, _ in
                    for number in 0..<20 {
                        let client = try Socket.connected(to: endpoint)
                        if number % 3 == 0 { try client.resetOnClose() }
                        try client.send("x")
                        if number % 2 == 0 { _ = try client.receive(count: 1) }
                    }
                }
            }
        }
    }
}

extension ServeModel: Codable {}

extension ServeModel {
    fileprivate var isConcurrent: Bool { rawValue != ServerModel.blocking.rawValue }

    func server() -> any Server { server(ServerOptions()) }
}
