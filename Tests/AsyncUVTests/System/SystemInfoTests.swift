import AsyncUV
import TestSupport
import Testing

@Suite(.inTurn) struct SystemInfoTests {
    @Test("The user and the home directory, on the loop and elsewhere")
    func user() async throws {
        let (user, home) = (try SystemInfo.user, try SystemInfo.homeDirectory)
        try await withOwnLoop { loop in
            for caller in Caller.allCases {
                try await caller.spawn(on: loop) {
                    for timeout in [nil, Duration.seconds(1_000)] {
                        let foundUser = try await SystemInfo.lookUpUser(timeout: timeout, on: loop)
                        let foundHome = try await SystemInfo.lookUpHomeDirectory(timeout: timeout, on: loop)
                        #expect(foundUser == user && foundHome == home)
                    }
                }.value
            }
        }
    }

    @Test("C1: cancelled before; a loop that has ended")
    func cancelled() async throws {
        let loop = try EventLoop()
        for caller in Caller.allCases {
            let task = caller.spawn(on: loop) {
                while !Task.isCancelled { await Task.yield() }
                _ = try await SystemInfo.lookUpUser(on: loop)
            }
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
        }
        await loop.shutdown()
        await expectError(.canceled) { try await SystemInfo.lookUpHomeDirectory(on: loop) }
    }
}
