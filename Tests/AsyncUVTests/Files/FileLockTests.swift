import AsyncUV
import TestSupport
import Testing

extension FileTests {
    @Suite struct Locks {
        @Test("An exclusive lock excludes everybody, shared ones exclude exclusive ones; closing gives a lock up")
        func kinds() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([])
                let (one, two) = (try await File.open(path), try await File.open(path))
                try await one.lock()
                #expect(try await !two.tryLock())
                #expect(try await !two.tryLock(.shared))
                #expect(try await one.tryLock())
                try await one.lock(.shared)
                #expect(try await two.tryLock(.shared))
                #expect(try await !two.tryLock(.exclusive))
                try await two.unlock()
                #expect(try await one.tryLock(.exclusive))
                #expect(try await !two.tryLock(.shared))
                try await one.close()
                #expect(try await two.tryLock())
                try await two.unlock()
                try await two.unlock()
                try await two.close()
                await expect(.badFileDescriptor, of: path) { try await one.lock() }
                await expect(.badFileDescriptor, of: path) { try await one.tryLock() }
                await expect(.badFileDescriptor, of: path) { try await one.unlock() }
            }
        }

        #if os(Linux)
        @Test("A file that could not change its lock has none")
        func refusedChange() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([])
                let (one, two) = (try await File.open(path), try await File.open(path))
                try await one.lock(.shared)
                try await two.lock(.shared)
                #expect(try await !two.tryLock(.exclusive))
                #expect(try await one.tryLock(.exclusive), "nothing is in the way any more")
                #expect(try await !two.tryLock(.shared))
                try await one.close()
                try await two.close()
            }
        }
        #endif

        @Test("Ten tasks that wait for a lock get it one after the other, and no thread waits with them")
        func oneAfterTheOther() throws {
            try inFolder { loop, folder in
                let path = folder.appending("file")
                try path.put([])
                let first = try await File.open(path)
                try await first.lock()
                let holders = Shared(0)
                let tasks = (0..<10).map { _ in
                    loop.spawn {
                        try await File.withFile(path, .readWrite) { file in
                            try await file.withLock {
                                #expect(
                                    holders.change {
                                        $0 += 1; return $0
                                    } == 1)
                                let bytes = try await file.read(upTo: 100, at: 0)
                                try await file.write(bytes + [1], at: 0)
                                holders.change { $0 -= 1 }
                            }
                        }
                    }
                }
                // More than the pool has threads wait by now or will; files go on.
                try await FileSystem.writeFile(folder.appending("other"), [1])
                try await first.unlock()
                for task in tasks { try await task.value }
                #expect(path.content == [UInt8](repeating: 1, count: 10))
                try await first.close()
            }
        }

        /// Opens a file twice; the first has the lock, and a task waits for the second's.
        private func whileSecondWaits(
            _ body: @escaping @Sendable (EventLoop, FilePath, File, File, Task<Void, any Error>) async throws -> Void
        ) throws {
            try inFolder { loop, folder in
                let path = folder.appending("file")
                try path.put([])
                let (one, two) = (try await File.open(path), try await File.open(path))
                try await one.lock()
                let waiting = loop.spawn { try await two.lock() }
                try await loop.waitUntilIdle(waits: 1)
                try await body(loop, path, one, two, waiting)
            }
        }

        @Test("Closing a file ends a wait for its lock, which may last for ever")
        func closed() throws {
            try whileSecondWaits { loop, path, one, two, waiting in
                try await two.close()
                await expect(.canceled, of: path) { try await waiting.value }
                try await one.close()
            }
        }

        @Test("C1: a cancelled wait for a lock takes none; withLock gives its own up")
        func cancelled() throws {
            try whileSecondWaits { loop, path, one, two, waiting in
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                try await one.unlock()
                #expect(try await one.tryLock())
                try await one.unlock()

                let holding = loop.spawn {
                    try await two.withLock { try await loop.sleep(for: .seconds(3_600)) }
                }
                try await loop.waitUntilIdle(waits: 1)
                #expect(try await !one.tryLock())
                holding.cancel()
                await #expect(throws: CancellationError.self) { try await holding.value }
                #expect(try await one.tryLock())
                try await one.close()
                try await two.close()
            }
        }
    }
}
