import AsyncUV
import Dispatch
import EmbeddingChaos
import Readiness
import SystemPackage
import TestSupport
import Testing
import UV
import UVEmbedding

/// The same work gives the same results, whoever drives the loop.
@Suite(.ownThread) struct ChaosTests {
    @Test(arguments: Way.allCases) func tasksConnectionsFilesAndThreads(_ way: Way) throws {
        for seed in [1, 4_711] as [UInt64] {
            let expected = try EventLoop.run { loop in try await Chaos(seed: seed).run(on: loop) }
            #expect(!expected.contains { $0.contains(/early|left|wrong|no timeout/) })
            let lines = try drive(by: way) { loop in try await Chaos(seed: seed).run(on: loop) }
            #expect(lines == expected)
        }
    }

    @Test(arguments: Way.allCases) func callbacks(_ way: Way) throws {
        for seed in [1, 4_711] as [UInt64] {
            var expected: [String] = []
            try withFolder { folder in
                try withLoop { loop in try CallbackChaos(seed: seed, on: loop, in: folder).start { expected = $0 } }
            }
            #expect(expected.count == 24 && !expected.contains { $0.contains("early") })
            try withFolder { folder in
                let lines = try callbacks(seed, in: folder, by: way)
                #expect(lines == expected)
            }
        }
    }

    private func callbacks(_ seed: UInt64, in folder: FilePath, by way: Way) throws -> [String] {
        if way == .queue { return try callbacksByQueue(seed, in: folder) }
        var lines: [String] = []
        try withDriver { loop, driver in
            try CallbackChaos(seed: seed, on: loop, in: folder).start { lines = $0 }
            switch way {
            case .epoll: try runDry(driver, in: EpollPoller())
            case .poll: try runDry(driver, in: PollPoller())
            case .select: try runDry(driver, in: SelectPoller())
            case .nested, .queue:
                try withLoop { outer in
                    let adapter = try NestedLoopAdapter(driver, in: outer)
                    // The outer loop runs on for the inner one only.
                    try outer.run()
                    adapter.detach()
                }
            }
        }
        return lines
    }

    private func callbacksByQueue(_ seed: UInt64, in folder: FilePath) throws -> [String] {
        let lines = Shared<[String]>([])
        let done = DispatchSemaphore(value: 0)
        let driver = try LoopDriver(Loop())
        driver.onEnd = { error in
            #expect(error == nil)
            done.signal()
        }
        let adapter = try DispatchLoopAdapter(driver, on: DispatchQueue(label: "driver"))
        adapter.async { loop in
            do {
                try CallbackChaos(seed: seed, on: loop, in: folder).start { result in
                    lines.value = result
                    try! loop.stop()
                }
            } catch {
                Issue.record(error)
                done.signal()
            }
        }
        done.wait()
        return lines.value
    }

    private func withFolder(_ body: (FilePath) throws -> Void) throws {
        let folder = try EventLoop.run { _ in try await FileSystem.makeTemporaryDirectory(prefix: "chaos-") }
        defer { _ = try? EventLoop.run { _ in try await FileSystem.remove(folder) } }
        try body(folder)
    }
}
