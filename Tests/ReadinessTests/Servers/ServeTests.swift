import Readiness
import TestSupport
import Testing

@testable import io_models

/// The servers as programs.
@Suite(.serialized, .inTurn) struct ServeTests {
    @Test(arguments: ServeModel.allCases) func listensEchoesAndEnds(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await onThread {
                let program = try Program("io-models", ["serve", "--model", model.rawValue])
                let client = try Socket.connected(to: try program.endpoint())
                try client.send("hello")
                #expect(try client.receive(count: 5) == Array("hello".utf8))
                #expect(program.end() == 0)
                _ = try? client.receiveAll()  // ends
            }
        }
    }

    /// 60 clients and 40 descriptors: those who are in are served, the others when somebody has left. Nobody is lost.
    @Test(arguments: ServeModel.allCases) func livesWithoutDescriptors(_ model: ServeModel) async {
        await #expect(processExitsWith: .success) { [model] in
            try await onThread {
                let program = try Program("io-models", ["serve", "--model", model.rawValue], descriptors: 40)
                let endpoint = try program.endpoint()
                try talk(Socket.connected(to: endpoint))
                let before = try program.descriptors()
                var clients = try (0..<60).map { _ in try Socket.connected(to: endpoint) }
                // In the order of their arrival; those who wait have to wait until somebody has left.
                while !clients.isEmpty { try talk(clients.removeFirst()) }
                // The process model learns of a child's end later than the client: it gets some more turns.
                for _ in 0..<100 {
                    if try program.descriptors() <= before + 1 { break }
                    try talk(Socket.connected(to: endpoint))
                }
                #expect(try program.descriptors() <= before + 1)
                #expect(program.end() == 0)
            }
        }
    }
}

/// Gets the reply to one byte, then the end.
private func talk(_ client: Socket) throws {
    try client.send("x")
    try client.shutdown(.sending)
    #expect(try client.receiveAll().count == 1)
}
