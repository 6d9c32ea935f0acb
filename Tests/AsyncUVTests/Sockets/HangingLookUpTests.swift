#if os(Linux)
import AsyncUV
import CFaults
import TestSupport
import Testing
import UV

extension FileTests {
    /// A resolver that does not answer.
    @Suite struct HangingLookUps {
        private static func name(_ number: Int) -> String { "host-\(number).hang.invalid" }

        @Test("100 look-ups that hang: files, echo and numeric hosts go on, each wait can be cancelled, 16 threads do")
        func hanging() throws {
            try inFolder(.off) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(100))
                cfaults_hang_look_ups()
                defer { cfaults_let_look_ups_go() }
                let lookUps = (0..<100).map { number in
                    loop.spawn { try await Resolver.addresses(of: Self.name(number), port: 1) }
                }
                try await wait(on: loop) { cfaults_hanging_look_ups() == 16 }

                // None of them has a thread of the pool.
                #expect(ThreadPool.statistics.running == 0 && ThreadPool.statistics.queued == 0)
                #expect(try await FileSystem.readFile(path) == pattern(100))
                try await File.withFile(path) { (file) async throws in
                    for _ in 0..<100 { #expect(try await file.read(upTo: 10, at: 5) == Array(pattern(15)[5...])) }
                }
                let (near, far) = try await connectedPair()
                for number in 0..<100 {
                    try await near.write([UInt8(number)])
                    #expect(try await far.read() == [UInt8(number)])
                }
                for host in ["127.0.0.1", "::1"] {
                    #expect(try await Resolver.addresses(of: host, port: 1).map(\.host) == [host])
                }

                // The first are with a thread, the last wait for one.
                for number in [0, 7, 15, 16, 50, 99] {
                    lookUps[number].cancel()
                    #expect(await failure(of: lookUps[number]) is CancellationError, "look-up \(number)")
                }
                let late = loop.spawn { try await TCPConnection.connect(host: Self.name(100), port: 1) }
                try await loop.waitUntilIdle()
                late.cancel()
                #expect(await failure(of: late) is CancellationError)
                let timed = loop.spawn {
                    try await withTimeout(.milliseconds(5)) {
                        try await Resolver.addresses(of: Self.name(101), port: 1)
                    }
                }
                #expect(code(of: await failure(of: timed)) == .timedOut)
                let name = Self.name(102)
                let error = await #expect(throws: UVError.self) {
                    try await Resolver.addresses(of: name, port: 1, timeout: .milliseconds(5))
                }
                #expect("\(try #require(error))" == "timed out (ETIMEDOUT) in look-up of \(name)")
                await expectError(.timedOut) {
                    try await TCPConnection.connect(host: name, port: 1, timeout: .milliseconds(5))
                }
                #expect(cfaults_hanging_look_ups() == 16)

                cfaults_let_look_ups_go()
                for (number, task) in lookUps.enumerated() where ![0, 7, 15, 16, 50, 99].contains(number) {
                    #expect(code(of: await failure(of: task)) == .resolverTemporaryFailure, "look-up \(number)")
                }
                // Those that nobody waits for any more, too.
                try await wait(on: loop) { cfaults_hanging_look_ups() == 0 }
                #expect(try await !Resolver.addresses(of: "localhost", port: 1).isEmpty)
            }
        }

        @Test("Names of addresses hang on the same threads, and can be given up as well")
        func namesOfAddresses() throws {
            try inFolder(.off) { loop, _ in
                cfaults_hang_look_ups()
                defer { cfaults_let_look_ups_go() }
                let address = try SocketAddress(host: "192.0.2.1", port: 80)
                let lookUps = (0..<40).map { _ in loop.spawn { try await Resolver.name(of: address) } }
                try await wait(on: loop) { cfaults_hanging_look_ups() == 16 }
                for task in lookUps[..<20] { task.cancel() }
                for task in lookUps[..<20] { #expect(await failure(of: task) is CancellationError) }
                #expect(cfaults_hanging_look_ups() == 16 && ThreadPool.statistics.running == 0)
                cfaults_let_look_ups_go()
                for task in lookUps[20...] {
                    #expect(code(of: await failure(of: task)) == .resolverTemporaryFailure)
                }
            }
        }
    }
}
#endif
