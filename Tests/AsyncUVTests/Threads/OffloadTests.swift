import AsyncUV
import Dispatch
import Foundation
import TestSupport
import Testing
import UV

extension FileTests {
    /// Blocking code on threads made for that.
    @Suite struct Offloading {
        @Test func results() throws {
            struct Oops: Error {}
            try onLoop { loop in
                let thread = currentThreadNumber()
                let other = try await loop.offload { currentThreadNumber() }
                #expect(other != thread && loop.isCurrent)
                await #expect(throws: Oops.self) { try await loop.offload { throw Oops() } }
                let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 1...1_000 { group.addTask { try await loop.offload { number } } }
                    return try await group.reduce(0, +)
                }
                #expect(sum == 500_500)
                #expect(try await Task.detached { try await loop.offload { 5 } }.value == 5)
            }
        }

        @TaskLocal static var request = "none"

        @Test("The body has the task-local values of its caller, and sees its cancellation")
        func taskLocals() throws {
            try onLoop { loop in
                try await Self.$request.withValue("here") {
                    let here = try await loop.offload { Self.request }
                    #expect(here == "here")
                    let elsewhere = Task { try await loop.offload { Self.request } }
                    #expect(try await elsewhere.value == "here")
                }
                #expect(try await loop.offload { Self.request } == "none")
                let (hasBegun, isCancelled) = (Shared(false), Shared(false))
                let task = loop.spawn {
                    try await loop.offload {
                        hasBegun.value = true
                        while !Task.isCancelled { sched_yield() }
                        isCancelled.value = true
                    }
                }
                try await wait(on: loop) { hasBegun.value }
                task.cancel()
                #expect(await failure(of: task) is CancellationError)
                try await wait(on: loop) { isCancelled.value }
            }
        }

        @Test("C1: a body that has not begun never does; one that has goes on by itself")
        func cancellation() throws {
            try onLoop { loop in
                let door = DispatchSemaphore(value: 0)
                let (begun, ended, late) = (Shared(0), Shared(0), Shared(0))
                let running = (0..<64).map { _ in
                    loop.spawn {
                        try await loop.offload {
                            begun.change { $0 += 1 }
                            door.wait()
                            ended.change { $0 += 1 }
                        }
                    }
                }
                try await wait(on: loop) { begun.value == 64 }
                let queued = (0..<100).map { _ in loop.spawn { try await loop.offload { late.change { $0 += 1 } } } }
                try await loop.waitUntilIdle()
                for task in running + queued { task.cancel() }
                for task in running + queued { #expect(await failure(of: task) is CancellationError) }
                #expect(ended.value == 0)
                for _ in 0..<64 { door.signal() }
                try await wait(on: loop) { ended.value == 64 }
                #expect(try await loop.offload { 7 } == 7)
                #expect(late.value == 0)
            }
        }

        @Test("K1: the loop ends meanwhile: .canceled, and the bodies go on")
        func shutdown() async throws {
            let loop = try EventLoop()
            let door = DispatchSemaphore(value: 0)
            let ended = Shared(0)
            let running = loop.spawn {
                try await loop.offload {
                    door.wait()
                    ended.change { $0 += 1 }
                }
            }
            try await loop.offload {}
            await loop.shutdown()
            #expect(code(of: await failure(of: running)) == .canceled)
            await expectError(.canceled) { try await loop.offload {} }
            door.signal()
            try await withOwnLoop { loop in try await wait(on: loop) { ended.value == 1 } }
        }

        @Test("100 calls that hang do not keep a file waiting, nor a look-up", arguments: FastPath.allCases)
        func doesNotStarveFiles(_ fastPath: FastPath) throws {
            try inFolder(fastPath) { loop, folder in
                let path = folder.appending("file")
                try path.put(pattern(100))
                let door = DispatchSemaphore(value: 0)
                let hanging = (0..<100).map { _ in loop.spawn { try await loop.offload { door.wait() } } }
                try await loop.waitUntilIdle()
                #expect(try await FileSystem.readFile(path) == pattern(100))
                try await File.withFile(path, .readWrite) { try await $0.write([1], at: 0) }
                #expect(try await !Resolver.addresses(of: "localhost", port: 1).isEmpty)
                #expect(ThreadPool.statistics.running == 0)
                for _ in hanging { door.signal() }
                for task in hanging { try await task.value }
            }
        }

        @Test("The other way round: 100 look-ups with the file pool full")
        func lookUpsWithAFullPool() throws {
            try onLoop { loop in
                let pool = try await FullPool(on: loop)
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<100 {
                        group.addTask {
                            #expect(try await !Resolver.addresses(of: "localhost", port: 1).isEmpty)
                            _ = try await Resolver.name(of: SocketAddress(host: "127.0.0.1", port: 80))
                        }
                    }
                }
                pool.release()
                try await restOfPool(on: loop)
            }
        }
    }
}
