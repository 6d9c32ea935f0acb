import AsyncUV
import TestSupport
import Testing

/// Names to addresses.
@Suite(.ownThread) struct ResolverTests {
    @Test func numericHostsAreNotLookedUp() throws {
        try onLoop { loop in
            let before = try await loop.counters.turns
            for host in ["127.0.0.1", "::1", "192.0.2.7"] {
                let addresses = try await Resolver.addresses(of: host, port: 80)
                #expect(addresses.map(\.host) == [host] && addresses[0].port == 80)
            }
            #expect(try await loop.counters.turns == before)
        }
    }

    @Test func localhost() throws {
        try onLoop { loop in
            let addresses = try await Resolver.addresses(of: "localhost", port: 7)
            #expect(loop.isCurrent && !addresses.isEmpty)
            #expect(addresses.allSatisfy { ["127.0.0.1", "::1"].contains($0.host) && $0.port == 7 })
        }
    }

    @Test("D1: hostile names are typed errors, through Resolver, connect and bind")
    func hostileNames() throws {
        let long = String(repeating: "a.", count: 200)
        let names = [
            "", "a\0b", "localhost\0.evil", String(long.prefix(254)), String(long.prefix(256)),
            String(long.prefix(300)),
            String(repeating: "x", count: 64), String(repeating: "x", count: 64) + ".test", "with space",
            "new\nline", "tab\there", "\u{7f}", " localhost", "localhost ", "127.0.0.1\0", "127.0.0.1 ",
            // Numbers dressed as names, which the system would take for 127.0.0.1.
            "0x7f.1", "127.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "127\u{3002}1", "\u{FF11}\u{FF12}\u{FF17}.1",
        ]
        try onLoop { _ in
            for name in names {
                await expectError(.invalidArgument, "\(name.debugDescription)") {
                    try await Resolver.addresses(of: name, port: 1)
                }
                await expectError(.invalidArgument, "\(name.debugDescription)") {
                    try await TCPConnection.connect(host: name, port: 1, timeout: .seconds(1_000))
                }
                await expectError(.invalidArgument, "\(name.debugDescription)") {
                    try await TCPListener.bind(host: name, port: 0)
                }
            }
        }
    }

    @Test(
        "D1: numbers in other characters, which IDNA makes plain ones, are no addresses either",
        arguments: [
            "127.\u{FF11}", "127.0.0.\u{2460}", "\u{FF10}\u{FF58}7f.\u{FF10}x1", "\u{2461}", "1.\u{1D7CF}",
            "127.0.0.\u{AD}1",
        ])
    func disguisedNumbers(_ host: String) throws {
        try onLoop { _ in
            await #expect(throws: UVError.self) { try await Resolver.addresses(of: host, port: 1) }
        }
    }

    @Test("C1: a look-up cancelled while it waits, and before")
    func cancellation() throws {
        try onLoop { loop in
            let waiting = loop.spawn { try await Resolver.addresses(of: "localhost", port: 1) }
            try await loop.waitUntilIdle()
            waiting.cancel()
            // It may have been faster than the cancellation.
            if let error = await failure(of: waiting) { #expect(error is CancellationError) }
            let before = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await Resolver.addresses(of: "localhost", port: 1)
            }
            before.cancel()
            #expect(await failure(of: before) is CancellationError)
        }
    }

    @Test("More look-ups than the pool has threads, half of them cancelled")
    func many() throws {
        try onLoop { loop in
            let tasks = (0..<100).map { _ in loop.spawn { try await Resolver.addresses(of: "localhost", port: 1) } }
            try await loop.waitUntilIdle()
            for (number, task) in tasks.enumerated() where number % 2 == 0 { task.cancel() }
            for (number, task) in tasks.enumerated() {
                switch await task.result {
                case .success(let addresses): #expect(!addresses.isEmpty)
                case .failure(let error): #expect(number % 2 == 0 && error is CancellationError)
                }
            }
        }
    }
}
