import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

extension FileTests {
    @Suite struct Changes {
        @Test("Changes come as a sequence, and in batches; new directories are watched")
        func sequence() throws {
            try inFolder { _, folder in
                let changes = try await FileSystem.changes(at: folder)
                #expect(changes.path == folder)
                try await FileSystem.makeDirectory(folder.appending("a/b"), withIntermediates: true)
                try await FileSystem.writeFile(folder.appending("a/b/file"), [1])
                var told: [FileChange] = []
                for try await change in changes {
                    told.append(change)
                    if told.count == 3 { break }
                }
                #expect(
                    told == [
                        FileChange(.created, folder.appending("a"), isDirectory: true),
                        FileChange(.created, folder.appending("a/b"), isDirectory: true),
                        FileChange(.created, folder.appending("a/b/file")),
                    ])
                try await FileSystem.rename(folder.appending("a/b/file"), to: folder.appending("moved"))
                try await FileSystem.remove(folder.appending("a"))
                var batches: [FileChange] = []
                // One, unless a busy machine has needed longer than it has to be quiet between two changes.
                while batches.count < 3 { batches += try #require(try await changes.nextBatch()) }
                #expect(
                    batches == [
                        FileChange(.renamed(from: folder.appending("a/b/file")), folder.appending("moved")),
                        FileChange(.removed, folder.appending("a/b"), isDirectory: true),
                        FileChange(.removed, folder.appending("a"), isDirectory: true),
                    ])
            }
        }

        @Test("A file that is written whole, as editors do, is modified; watched alone it is still watched afterwards")
        func saved() throws {
            try inFolder { _, folder in
                let path = folder.appending("file")
                try path.put([1])
                // So long that what a busy machine needs for the steps of a write is not two changes.
                let quiet = Duration.milliseconds(60 * patience)
                let tree = try await FileSystem.changes(at: folder, debounce: quiet)
                let alone = try await FileSystem.changes(at: path, debounce: quiet, metadata: false)
                for _ in 0..<3 {
                    try await FileSystem.writeFile(path, [2])
                    #expect(try await tree.nextBatch() == [FileChange(.modified, path)])
                    #expect(try await alone.nextBatch() == [FileChange(.modified, path)])
                }
            }
        }

        @Test("C1: a cancelled wait loses no change, nor does one that was cancelled before")
        func cancellation() throws {
            try inFolder { loop, folder in
                let changes = try await FileSystem.changes(at: folder)
                let waiting = loop.spawn { try await changes.next() }
                try await loop.waitUntilIdle(waits: 1)
                waiting.cancel()
                await #expect(throws: CancellationError.self) { try await waiting.value }
                let before = loop.spawn {
                    while !Task.isCancelled { await Task.yield() }
                    return try await changes.nextBatch()
                }
                before.cancel()
                await #expect(throws: CancellationError.self) { try await before.value }
                try folder.appending("file").put([])
                #expect(try await changes.next()?.path == folder.appending("file"))
            }
        }

        @Test("C1: cancelled while the pool has no thread to look at the tree: nothing is watched")
        func cancelledStart() throws {
            try inFolder { loop, folder in
                let pool = try await FullPool(on: loop)
                let starting = loop.spawn { try await FileSystem.changes(at: folder) }
                try await loop.waitUntilIdle(waits: 1)
                starting.cancel()
                await #expect(throws: CancellationError.self) { try await starting.value }
                #expect(try await openHandles(of: loop) == [])
                pool.release()
            }
        }

        @Test("K1: a loop that ends ends the waits for changes")
        func loopEnds() async throws {
            let folder = try await FileSystem.makeTemporaryDirectory()
            let loop = try EventLoop()
            let changes = try await FileSystem.changes(at: folder, on: loop)
            let waiting = Task { try await changes.next() }
            try await loop.waitUntilIdle(waits: 1)
            await loop.shutdown()
            await expectError(.canceled) { try await waiting.value }
            await expectError(.canceled) { try await changes.next() }
            await expectError(.canceled) { try await FileSystem.changes(at: folder, on: loop) }
            try await FileSystem.remove(folder)
        }

        @Test("From elsewhere, and dropped elsewhere")
        func elsewhere() async throws {
            try await withOwnLoop { loop in
                let folder = try await FileSystem.makeTemporaryDirectory(on: loop)
                do {
                    let changes = try await FileSystem.changes(at: folder, on: loop)
                    #expect(try await openHandles(of: loop).count == 1)
                    try folder.appending("file").put([])
                    #expect(try await changes.next() == FileChange(.created, folder.appending("file")))
                }
                while try await openHandles(of: loop) != [] { await Task.yield() }
                try await FileSystem.remove(folder, on: loop)
            }
        }

        @Test("The end: what is watched is removed")
        func end() throws {
            try inFolder { _, folder in
                let root = folder.appending("root")
                try await FileSystem.makeDirectory(root)
                let changes = try await FileSystem.changes(at: root)
                try await FileSystem.remove(root)
                #expect(try await changes.next() == FileChange(.removed, root, isDirectory: true))
                #expect(try await changes.next() == nil)
                #expect(try await changes.nextBatch() == nil)
            }
        }

        @Test("Errors name the path, and the system's limit")
        func errors() throws {
            try inFolder { _, folder in
                let none = folder.appending("none")
                await expect(.noSuchFileOrDirectory, of: none) { try await FileSystem.changes(at: none) }
                await expectError(.noSuchFileOrDirectory) { try await FileSystem.changes(at: "") }
                await expectError(.invalidArgument) { try await FileSystem.changes(at: folder, debounce: .seconds(-1)) }
                let full = folder.appending("full.refuse-\(ENOSPC)")
                let changes = try await FileSystem.changes(at: folder)
                try await FileSystem.makeDirectory(full)
                await expect(.noSpace, of: full) { try await changes.next() }
                #expect(try await changes.next() == nil)
            }
        }

        @Test("Directories that may not be watched are problems; ignored ones are not looked at")
        func problems() throws {
            try inFolder { _, folder in
                let secret = folder.appending("secret.refuse-\(EACCES)")
                let ignored = folder.appending("ignored")
                try await FileSystem.makeDirectory(secret)
                try await FileSystem.makeDirectory(ignored)
                let problems = Shared<[UVError]>([])
                let changes = try await FileSystem.changes(at: folder, ignoring: { $0.lastComponent == "ignored" }) {
                    problem in
                    problems.change { $0.append(problem) }
                }
                try ignored.appending("file").put([])
                try secret.appending("file").put([])
                try folder.appending("file").put([])
                #expect(try await changes.next() == FileChange(.created, folder.appending("file")))
                #expect(problems.value.map(\.code) == [.permissionDenied] && problems.value[0].subject == secret.string)
            }
        }

        @Test("What nobody takes becomes one overflow, and what comes later is told")
        func overflow() throws {
            try inFolder { loop, folder in
                let slow = try await FileSystem.changes(at: folder, debounce: .zero, limit: 5)
                let quick = try await FileSystem.changes(at: folder, debounce: .zero)
                for number in 0..<12 {
                    try folder.appending("\(number)").put([])
                    while try await quick.next()?.path != folder.appending("\(number)") {}
                }
                #expect(try await slow.next() == FileChange(.overflow, folder, isDirectory: true))
                try folder.appending("last").put([])
                while try await slow.next()?.path != folder.appending("last") {}
            }
        }

        @Test("Several takers share the changes")
        func takers() throws {
            try inFolder { loop, folder in
                let changes = try await FileSystem.changes(at: folder)
                let takers = (0..<4).map { _ in loop.spawn { try await changes.next()?.path } }
                try await loop.waitUntilIdle(waits: 4)
                for number in 0..<4 { try folder.appending("\(number)").put([]) }
                var paths: Set<FilePath?> = []
                for taker in takers { paths.insert(try await taker.value) }
                #expect(paths == Set((0..<4).map { folder.appending("\($0)") }))
            }
        }
    }
}
