import TestSupport
import Testing
import UV

/// Look-ups that need no network.
@Suite(.ownThread) struct AddressRequestTests {
    @Test("Numbers are looked up as themselves", arguments: ["127.0.0.1", "::1"])
    func numeric(_ host: String) throws {
        var found: [SocketAddress] = []
        try withLoop { loop in
            try AddressRequest.addresses(of: host, port: 8_080, on: loop) { _, result in
                found = (try? result.get()) ?? []
            }
        }
        try #expect(found == [SocketAddress(host: host, port: 8_080)])
    }

    @Test(
        "D1: what cannot be a host's name is refused before any look-up",
        arguments: [
            "", "local\0host", "\0", "local host", "localhost\n", "\tlocalhost", "local\u{7f}host",
            String(repeating: "a", count: 64), String(repeating: "a", count: 64) + ".example",
            String(repeating: "a.", count: 127) + "a", String(repeating: "a.", count: 150),
            String(repeating: "a.", count: 5_000),
            // Numbers dressed as names, which the system would take for addresses.
            "0x7f.1", "127.1", "0177.0.0.1", "2130706433", "0x7f000001", "127.0.0.1.", "1.2.3.4.5", "a.1", "a.0x",
            "0X7F.1",
            "a.0x1f.", "127\u{3002}0\u{3002}0\u{3002}1", "127\u{FF0E}1", "127\u{FF61}1",
            "\u{FF11}\u{FF12}\u{FF17}.1",
        ])
    func hostile(_ host: String) throws {
        try withLoop { loop in
            let error = #expect(throws: UVError.self) {
                try AddressRequest.addresses(of: host, port: 80, on: loop) { _, _ in Issue.record("looked up") }
            }
            #expect(error?.code == .invalidArgument)
            #expect(!loop.isAlive)
        }
    }

    @Test(
        "D1: names with numbers in them are names",
        arguments: ["1.a", "0x7f.com", "127.0.0.1.example", "4711x", "0xg", "a.."])
    func namesWithNumbers(_ host: String) throws {
        try withLoop { loop in
            let request = try AddressRequest.addresses(of: host, port: 80, on: loop) { _, _ in }
            try? request.cancel()
        }
    }

    @Test("A1: out of descriptors, a look-up says so, and not that there is no such host")
    func outOfDescriptors() async throws {
        await #expect(processExitsWith: .success) {
            await letDispatchOpenItsDescriptors()
            try synchronously {
                let loop = try Loop()
                var errors: [UVError] = []
                try AddressRequest.addresses(of: "127.0.0.1", port: 1, on: loop) { _, _ in }
                try loop.run()
                forbidDescriptors()
                try AddressRequest.addresses(of: "localhost", port: 1, on: loop) { _, result in
                    if case .failure(let error) = result { errors.append(error) }
                }
                try loop.run()
                limitDescriptors(to: 1_000)
                guard errors.map(\.code) == [.tooManyOpenFiles], errors[0].subject == "localhost" else {
                    fatalError("\(errors)")
                }
            }
        }
    }

    @Test("Canceled ones end once, with canceled or as usual") func cancel() throws {
        var ends = 0, canceled = 0, refused = 0
        try withLoop { loop in
            let requests = try (0..<50).map { _ in
                try AddressRequest.addresses(of: "127.0.0.1", port: 80, on: loop) { _, result in
                    ends += 1
                    if case .failure(let error) = result {
                        #expect(error.code == .canceled)
                        canceled += 1
                    }
                }
            }
            for request in requests {
                do throws(UVError) { try request.cancel() } catch {
                    #expect(error.code == .resourceBusy)
                    refused += 1
                }
            }
        }
        #expect(ends == 50 && canceled == 50 - refused)
    }

    @Test func aLoopWithARequestUnderWayDoesNotClose() throws {
        try withLoop { loop in
            try AddressRequest.addresses(of: "127.0.0.1", port: 80, on: loop) { _, _ in }
            let error = #expect(throws: UVError.self) { try loop.close() }
            #expect(error?.description.contains("in close of a loop with 1 request under way: look-up of ") == true)
        }
    }

    @Test func theMainQueueIsServedOnTheMainThreadOnly() throws {
        try withLoop { loop in
            expectError(.notPermitted) { try MainQueueHandle(on: loop) }
        }
    }
}
