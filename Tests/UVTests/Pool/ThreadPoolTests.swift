import CFaults
import Foundation
import Synchronization
import SystemPackage
import TestSupport
import Testing
import UV

/// The pool is one for the whole process, so these tests have processes of their own.
@Suite(.ownThread) struct ThreadPoolTests {
    @Test("F3: eight works that block: queued ones can be canceled, running ones are busy; the loop goes on")
    func full() async {
        await #expect(processExitsWith: .success) {
            try ThreadPool.configure(threads: 4)
            let gate = DispatchSemaphore(value: 0)
            var ended: [Int: Result<Int, any Error>] = [:]
            var calls = 0, ticks = 0
            try withLoop { loop in
                var works: [WorkRequest] = []
                for index in 0..<8 {
                    works.append(
                        try WorkRequest.run(on: loop) {
                            gate.wait()
                            return index
                        } onDone: { _, result in
                            ended[index] = result
                            calls += 1
                        })
                }
                var read: Result<FileStatus, UVError>?
                try FileRequest.start(.status(of: "/"), on: loop) { read = $1 }
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    let statistics = ThreadPool.statistics
                    guard statistics.running == 4 else { return }
                    ticks += 1
                    if ticks == 1 {
                        #expect(statistics.queued == 5 && read == nil)
                        expectError(.resourceBusy) { try works[0].cancel() }
                        #expect(throws: Never.self) { try works[6].cancel() }
                        #expect(ended[6] == nil, "not before cancel has returned")
                    }
                    if ticks == 20 {
                        // The loop did not wait for the pool: the canceled one has ended, and nothing else.
                        #expect(ended.count == 1 && read == nil)
                        expectError(.canceled) { try ended[6]?.get() }
                        for _ in 0..<7 { gate.signal() }
                        timer.close()
                    }
                }
                try loop.run()
                #expect(try read?.get().kind == .directory)
            }
            #expect(calls == 8 && ticks == 20)
            for index in 0..<8 where index != 6 { try #expect(ended[index]?.get() == index) }
            let statistics = ThreadPool.statistics
            #expect(statistics.queued == 0 && statistics.running == 0 && statistics.finished == 8)
            #expect(statistics.longestWait > .milliseconds(15) && statistics.longestWait < .seconds(60 * patience))
        }
    }

    @Test("What is canceled while it is queued has not happened, whatever it is")
    func canceledOpen() async {
        await #expect(processExitsWith: .success) {
            try ThreadPool.configure(threads: 1)
            try withFolder { folder in
                let gate = DispatchSemaphore(value: 0)
                var results: [UVError.Code?] = []
                try withLoop { loop in
                    try WorkRequest.run(on: loop) {
                        gate.wait()
                    } onDone: { _, _ in
                    }
                    let options: FileDescriptor.OpenOptions = [.create, .exclusiveCreate]
                    let requests: [Request] = [
                        try FileRequest.start(.open(folder("new"), .writeOnly, options: options), on: loop) {
                            results.append($1.failure)
                        },
                        try FileRequest.start(.makeDirectory(folder("folder")), on: loop) {
                            results.append($1.failure)
                        },
                        try FileRequest.copy("/etc/passwd", to: folder("copy"), on: loop) {
                            results.append($1.failure)
                        },
                        try TreeRequest.copy("/etc/passwd", to: folder("tree"), on: loop) {
                            results.append($1.failure)
                        },
                        try FileRequest.start(.openDirectory(folder.path), on: loop) { results.append($1.failure) },
                        try RandomRequest.bytes(10, on: loop) { results.append($1.failure) },
                        try NameRequest.name(of: SocketAddress(host: "127.0.0.1", port: 1), on: loop) {
                            results.append($1.failure)
                        },
                        try AddressRequest.addresses(of: "localhost", port: 1, on: loop) {
                            results.append($1.failure)
                        },
                    ]
                    for request in requests { try request.cancel() }
                    // Nothing waits for the thread.
                    try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                        if results.count < requests.count { return }
                        gate.signal()
                        timer.close()
                    }
                }
                #expect(results == Array(repeating: .canceled, count: 8))
                try #expect(folder.names() == [])
            }
        }
    }

    @Test("configure: 1 to 1,024 threads before the first use, refused after it")
    func configure() async {
        await #expect(processExitsWith: .success) {
            for threads in [0, -1, 1_025, .max] {
                expect(.invalidArgument, of: "\(threads) threads") { try ThreadPool.configure(threads: threads) }
            }
            try ThreadPool.configure(threads: 1_024)
            try ThreadPool.configure(threads: 7)
            let threads = Mutex<Set<pthread_t>>([])
            let gate = DispatchSemaphore(value: 0)
            try withLoop { loop in
                for _ in 0..<20 {
                    try WorkRequest.run(on: loop) {
                        threads.withLock { _ = $0.insert(pthread_self()) }
                        gate.wait()
                    } onDone: { _, _ in
                    }
                }
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    if ThreadPool.statistics.running < 7 { return }
                    for _ in 0..<20 { gate.signal() }
                    timer.close()
                }
            }
            #expect(threads.withLock { $0.count } == 7)
            expect(.resourceBusy, of: "thread pool") { try ThreadPool.configure(threads: 4) }
        }
    }

    @Test("Defect 4: a process with a blocked thread ends, with its status", arguments: [0, 7])
    func exitWithBlockedThread(_ status: CInt) async {
        let start = Loop.hrtime
        await #expect(processExitsWith: .exitCode(status)) { [status = status as CInt] in
            try synchronously {
                let loop = try Loop()
                try WorkRequest.run(on: loop) {
                    while true { pause() }
                } onDone: { _, _ in
                }
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    if ThreadPool.statistics.running == 1 { exit(status) }
                }
                try loop.run()
            }
        }
        #expect(Loop.hrtime - start < .seconds(60 * patience))
    }

    #if os(Linux)
    @Test("Defect 4, look-ups: a process whose resolver hangs ends, with its status", arguments: [0, 7])
    func exitWithHangingLookUps(_ status: CInt) async {
        let start = Loop.hrtime
        await #expect(processExitsWith: .exitCode(status)) { [status = status as CInt] in
            try synchronously {
                let loop = try Loop()
                cfaults_hang_look_ups()
                try AddressRequest.addresses(of: "a.hang.invalid", port: 1, on: loop) { _, _ in }
                try NameRequest.name(of: SocketAddress(host: "192.0.2.1", port: 80), on: loop) { _, _ in }
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    if cfaults_hanging_look_ups() == 2 { exit(status) }
                }
                try loop.run()
            }
        }
        #expect(Loop.hrtime - start < .seconds(60 * patience))
    }

    @Test("A look-up that a thread has done, but whose loop has not heard of it, does not cut the exit short")
    func exitWithFinishedLookUp() async {
        await #expect(processExitsWith: .exitCode(5)) {
            try synchronously {
                // Not called when the process has to be ended at once: the last handler is the first to be called.
                atexit { _exit(5) }
                let loop = try Loop()
                cfaults_hang_look_ups()
                try AddressRequest.addresses(of: "a.hang.invalid", port: 1, on: loop) { _, _ in }
                try TimerHandle(on: loop).start(after: .milliseconds(1), every: .milliseconds(1)) { timer in
                    if cfaults_hanging_look_ups() == 0 { return }
                    cfaults_let_look_ups_go()
                    exit(3)
                }
                try loop.run()
            }
        }
    }
    #endif

    @Test("cancel after the end, and after the loop's end, is an error and nothing else")
    func cancelLate() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let loop = try Loop()
                var inside: (any Error)?
                let request = try FileRequest.start(.status(of: "/"), on: loop) { request, _ in
                    do { try request.cancel() } catch { inside = error }
                }
                let tree = try TreeRequest.remove("/nonexistent/file", on: loop) { _, _ in }
                let name = try NameRequest.name(of: SocketAddress(host: "127.0.0.1", port: 80), on: loop) { _, _ in }
                try loop.run()
                #expect((inside as? UVError)?.code == .resourceBusy)
                expectError(.resourceBusy) { try request.cancel() }
                try tree.cancel()
                try loop.close()
                expectError(.resourceBusy) { try request.cancel() }
                expectError(.resourceBusy) { try name.cancel() }
                try tree.cancel()
            }
        }
    }

    @Test("100,000 small reads: descriptors and memory stay as they are")
    func manyReads() async {
        await #expect(processExitsWith: .success) {
            try synchronously {
                try withFolder { folder in
                    let path = try folder.file("file", pattern(count: 65_536))
                    try folder.opened(path) { file in
                        let loop = try Loop()
                        var left = 0
                        func read() throws {
                            left -= 1
                            if left < 0 { return }
                            try FileRequest.read(from: file, upTo: 64, at: Int64(left % 1_024 * 64), on: loop) {
                                _, result in
                                if (try? result.get().count) != 64 { Issue.record("\(result)") }
                                try! read()
                            }
                        }
                        func run(_ count: Int) throws {
                            left = count
                            for _ in 0..<16 { try read() }
                            try loop.run()
                        }
                        try run(10_000)
                        let (descriptors, memory) = (countDescriptors(), residentBytes())
                        try run(100_000)
                        // Threads that are not ours have some for a moment.
                        #expect(countDescriptors() < descriptors + 16)
                        if !isSanitized { #expect(residentBytes() - memory < 4 << 20) }
                        try loop.close()
                    }
                }
            }
        }
    }
}

extension Result where Failure == UVError {
    fileprivate var failure: UVError.Code? {
        if case .failure(let error) = self { return error.code }
        return nil
    }
}
