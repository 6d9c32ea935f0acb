import AsyncUV
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    /// Many operations, and loops that end in the middle of them.
    @Suite struct Load {
        @Test("100,000 small reads: flat memory, one descriptor", arguments: FastPath.allCases)
        func manyReads(_ fastPath: FastPath) async {
            // In a process of its own, because the memory is the process's.
            await #expect(processExitsWith: .success) { [isOn = (fastPath == .on) as Bool] in
                try inFolder(isOn ? .on : .off) { _, folder in
                    let path = folder.appending("file")
                    try path.put(pattern(1 << 20))
                    let count = isOn ? 100_000 : 20_000
                    try await File.withFile(path) { file in
                        @Sendable func read(_ range: Range<Int>) async throws {
                            for index in range { _ = try await file.read(upTo: 100, at: Int64(index * 7 % 1_000_000)) }
                        }
                        try await read(0..<count / 10)
                        let before = residentBytes()
                        // One at a time, then many.
                        try await read(0..<count / 2)
                        try await withThrowingDiscardingTaskGroup { group in
                            for start in 0..<50 {
                                group.addTask { try await read(start * count / 100..<(start + 1) * count / 100) }
                            }
                        }
                        if !isSanitized { #expect(residentBytes() - before < 4 << 20) }
                        #expect(openFiles(in: folder) == [path.string])
                    }
                }
            }
        }

        @Test("Sequences in an actor of the loop that a plain task calls: a constant number of jobs from other threads")
        func sequencesInAnActor() throws {
            try inFolder { loop, folder in
                for number in 0..<50 { try folder.appending("\(number)").put(Array("a\nb\n".utf8)) }
                let file = try await File.open(folder.appending("0"))
                let actor = LoopCounter(loop)
                let before = try await loop.counters.foreignJobs
                let counts = try await Task.detached {
                    [
                        try await actor.take(50, of: FileSystem.entries(of: folder, on: loop)),
                        try await actor.take(50, of: FileSystem.walk(folder, on: loop)),
                        try await actor.take(4, of: file.chunks(ofCount: 1)),
                        try await actor.take(2, of: file.lines()),
                    ]
                }.value
                #expect(counts == [50, 50, 4, 2])
                #expect(try await loop.counters.foreignJobs - before <= 20)
                try await file.close()
            }
        }

        @Test("Opened, read and closed 5,000 times; whole files 5,000 times", arguments: FastPath.allCases)
        func manyFiles(_ fastPath: FastPath) async {
            await #expect(processExitsWith: .success) { [isOn = (fastPath == .on) as Bool] in
                try inFolder(isOn ? .on : .off) { _, folder in
                    let path = folder.appending("file")
                    try path.put(pattern(1_000))
                    @Sendable func round(_ count: Int) async throws {
                        for _ in 0..<count {
                            try await File.withFile(path) { _ = try await $0.read(upTo: 10, at: 0) }
                            _ = try await FileSystem.readFile(path)
                        }
                    }
                    try await round(500)
                    let before = residentBytes()
                    try await round(5_000)
                    if !isSanitized { #expect(residentBytes() - before < 4 << 20) }
                }
            }
        }

        @Test("A task that reads a hot file for ever leaves timers and an echo their share")
        func fairness() throws {
            try inFolder(.on) { loop, folder in
                let path = folder.appending("hot")
                try path.put(pattern(1 << 20))
                let file = try await File.open(path)
                let reading = loop.spawn { while true { _ = try await file.read(upTo: 4_096, at: 8_192) } }
                let filling = loop.spawn {
                    var buffer = [UInt8](repeating: 0, count: 1 << 20)
                    while true { _ = try await file.read(into: &buffer, at: 0) }
                }
                let whole = loop.spawn { while true { _ = try await FileSystem.readFile(path) } }
                let (near, far) = try await connectedPair()
                for number in 0..<100 {
                    try await near.write([UInt8(number)])
                    #expect(try await far.read() == [UInt8(number)])
                }
                for _ in 0..<20 { try await loop.sleep(for: .milliseconds(1)) }
                for task in [reading, filling, whole] { task.cancel() }
                for task in [reading, filling, whole] { #expect(await failure(of: task) is CancellationError) }
                try await file.close()
            }
        }

        @Test("K1: a loop that ends with everything under way", arguments: FastPath.allCases)
        func shutdown(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { other, folder in
                let path = folder.appending("file")
                try path.put(pattern(100_000))
                let loop = try EventLoop()
                let file = try await File.open(path, .readWrite, on: loop)
                let pool = try await FullPool(on: other)
                let tasks: [Task<Void, any Error>] = [
                    loop.spawn { try await file.write([1], at: 0) },
                    loop.spawn { try await file.sync() },
                    loop.spawn { _ = try await File.open(path, on: loop) },
                    loop.spawn { _ = try await FileSystem.makeTemporaryFile(in: folder, on: loop) },
                    loop.spawn { for try await _ in FileSystem.walk(folder, on: loop) {} },
                    loop.spawn { for try await _ in FileSystem.entries(of: folder, on: loop) {} },
                    Task.detached { try await FileSystem.writeFile(path, [1], on: loop) },
                ]
                try await wait(on: other) { ThreadPool.statistics.queued >= tasks.count }
                await loop.shutdown()
                for task in tasks { #expect(code(of: await failure(of: task)) == .canceled) }
                await expectError(.canceled) { try await file.read(upTo: 1, at: 0) }
                await expectError(.canceled) { try await FileSystem.readFile(path, on: loop) }
                pool.release()
                try await restOfPool(on: other)
                #expect(folder.names == ["file"] && path.content == pattern(100_000))
            }
        }

        @Test("K1: a loop that ends while a thread of the pool has the file")
        func shutdownWhileRunning() throws {
            try inFolder(.off) { other, folder in
                let path = folder.appending("file")
                try path.put(pattern(100))
                guard let held = HeldFile(path, .open) else { return }
                let loop = try EventLoop()
                let opening = loop.spawn { _ = try await File.open(path, on: loop) }
                try await wait(on: other) { ThreadPool.statistics.running == 1 }
                let ending = Task.detached { await loop.shutdown() }
                #expect(code(of: await failure(of: opening)) == .canceled)
                held.release()
                await ending.value
                #expect(openFiles(in: folder).isEmpty)
            }
        }
    }
}
