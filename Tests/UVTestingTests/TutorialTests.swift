import AsyncUV
import Foundation
import Testing
import UVTesting

// docs/TESTING.md quotes this file: each of its Swift blocks stands here, word for word.

/// Who has which name at the moment.
actor Leases {
    private var holders: [String: String] = [:]

    func holder(of name: String) -> String? { holders[name] }

    func set(_ name: String, to holder: String?) { holders[name] = holder }
}

/// Talks with one client: `TAKE name` is answered with `OK` or `BUSY`. A client that is silent for an hour is sent away, and
/// what a client has is free when it leaves.
func serve(_ client: some ByteStream, named holder: String, _ leases: Leases) async throws {
    var names: [String] = []
    do {
        while let line = try await withTimeout(.seconds(3_600), { try await client.readLine(limit: 1_000) }) {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "TAKE" else {
                try await client.write("WHAT?\n")
                continue
            }
            let name = String(words[1])
            if await leases.holder(of: name) == nil {
                await leases.set(name, to: holder)
                names.append(name)
                try await client.write("OK\n")
            } else {
                try await client.write("BUSY\n")
            }
        }
    } catch let error as UVError where error.code == .timedOut {
        try await client.write("BYE\n")
    } catch {
        for name in names { await leases.set(name, to: nil) }
        throw error
    }
    for name in names { await leases.set(name, to: nil) }
}

/// Keeps in a file who has which name.
func save(_ leases: [String: String], in file: FilePath) async throws {
    let lines = leases.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
    try await FileSystem.writeFile(file, Array(lines.joined().utf8))
}

/// What was saved; nothing when the disk does not answer within a second.
func restore(
    from file: FilePath,
    by read: @Sendable (FilePath) async throws -> [UInt8] = { try await FileSystem.readFile($0) }
) async throws -> [UInt8]? {
    do { return try await withTimeout(.seconds(1)) { try await read(file) } } catch UVError.Code.timedOut { return nil }
}

@Suite struct TutorialTests {
    @Test func aNameIsTakenOnce() async throws {
        try await TestLoop.run { test in
            let leases = Leases()
            let (client, server) = TestNetwork(test).pair()
            let session = test.loop.spawn { try await serve(server, named: "ann", leases) }
            try await client.write("TAKE printer\nTAKE printer\nhello\n")
            #expect(try await client.readLine() == "OK")
            #expect(try await client.readLine() == "BUSY")
            #expect(try await client.readLine() == "WHAT?")
            await client.close()
            try await session.value
            #expect(await leases.holder(of: "printer") == nil)
        }
    }

    @Test func aSilentClientIsSentAwayAfterAnHour() async throws {
        try await TestLoop.run { test in
            let leases = Leases()
            let (client, server) = TestNetwork(test).pair()
            let session = test.loop.spawn { try await serve(server, named: "ann", leases) }
            try await client.write("TAKE printer\n")
            #expect(try await client.readLine() == "OK")
            #expect(try await client.readLine() == "BYE")
            #expect(test.elapsed == .seconds(3_600))
            try await session.value
            #expect(await leases.holder(of: "printer") == nil)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func linesMayComeInPieces(seed: UInt64) async throws {
        try await TestLoop.run(seed: seed) { test in
            let (client, server) = TestNetwork(test, conditions: .rough).pair()
            let session = test.loop.spawn { try await serve(server, named: "ann", Leases()) }
            for number in 0..<10 {
                try await client.write("TAKE name-\(number)\n")
                #expect(try await client.readLine() == "OK")
            }
            await client.close()
            try await session.value
        }
    }

    @Test func aClientThatVanishesKeepsItsNameForAnHour() async throws {
        try await TestLoop.run { test in
            let leases = Leases()
            let (client, server) = TestNetwork(test).pair()
            let session = test.loop.spawn { try await serve(server, named: "ann", leases) }
            try await client.write("TAKE printer\n")
            _ = try await client.readLine()
            await client.vanish()
            try await test.loop.sleep(for: .seconds(3_599))
            #expect(await leases.holder(of: "printer") == "ann")
            try await session.value
            #expect(await leases.holder(of: "printer") == nil)
        }
    }

    /// Two clients want the same name at the same time: one gets it.
    @Sendable static func rivals(_ test: TestLoop) async throws {
        let network = TestNetwork(test)
        let listener = try network.listen(at: SocketAddress(host: "10.0.0.2", port: 4_000))
        let leases = Leases()
        let serving = test.loop.spawn {
            try await listener.serve { connection in
                try await serve(connection, named: "\(connection.remoteAddress)", leases)
            }
        }
        let answers = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<2 {
                group.addTask(executorPreference: test.loop) {
                    let client = try await network.connect(to: listener.localAddress)
                    try await client.write("TAKE printer\n")
                    let answer = try await client.readLine()
                    // Both stay until both have been answered.
                    try await test.loop.sleep(for: .seconds(1))
                    await client.close()
                    return answer
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        await listener.close()
        try await serving.value
        if answers.count(where: { $0 == "OK" }) != 1 { throw TwoHolders() }
    }

    struct TwoHolders: Error {}

    @Test func someSeedLetsBothHaveTheName() async throws {
        let failure = try #require(
            await #expect(throws: TestFailure.self) {
                try await TestLoop.run(seeds: 0..<200) { test in try await Self.rivals(test) }
            })
        print(failure)
        let seed = try #require(failure.seed)
        await #expect(throws: TwoHolders.self) { try await TestLoop.run(seed: seed, Self.rivals) }
    }

    @Test func aFullDiskIsAnError() async throws {
        try await TestLoop.run { test in
            let error = await #expect(throws: UVError.self) { try await save(["printer": "ann"], in: "/dev/full") }
            #expect(error?.code == .noSpace)
        }
    }

    @Test func aSlowDiskIsNotWaitedFor() async throws {
        try await TestLoop.run { test in
            let found = try await restore(from: "leases") { _ in
                try await test.loop.sleep(for: .seconds(30))
                return Array("printer ann\n".utf8)
            }
            #expect(found == nil)
            #expect(test.elapsed == .seconds(1))
        }
    }

    @Test func thePageQuotesThisFile() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = try String(contentsOf: folder.appending(path: "TutorialTests.swift"), encoding: .utf8)
        let page = try String(contentsOf: folder.appending(path: "../../docs/TESTING.md"), encoding: .utf8)
        let blocks = page.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(blocks.count >= 6)
        let lines = file.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let text = lines.joined(separator: "\n")
        for block in blocks where !block.contains(".package(") {
            let wanted = block.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
            #expect(text.contains(wanted), "docs/TESTING.md: \(block)")
        }
    }
}
