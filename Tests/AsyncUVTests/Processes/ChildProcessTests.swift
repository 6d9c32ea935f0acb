import AsyncUV
import Foundation
import SystemPackage
import TestSupport
import Testing

@Suite(.inTurn) struct ChildProcessTests {
    // MARK: Running to the end

    @Test func outputErrorsAndStatus() async throws {
        let done = try await ChildProcess.run("sh", ["-c", "echo out; echo err >&2; exit 3"])
        #expect(done.text == "out\n" && done.errorText == "err\n" && done.status == .exited(3))
        #expect(try await ChildProcess.run("sh", ["-c", "kill -9 $$"]).status == .signaled(.kill))
    }

    @Test("Big input and output at the same time, on a loop and off it")
    func bothWays() async throws {
        let bytes = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let elsewhere = try await ChildProcess.run("tee", ["/dev/stderr"], input: bytes)
        #expect(elsewhere.output == bytes && elsewhere.error == bytes && elsewhere.status.isSuccess)
        try await withOwnLoop { loop in
            let here = try await loop.spawn { try await ChildProcess.run("cat", input: bytes) }.value
            #expect(here.output == bytes && here.error.isEmpty)
        }
    }

    @Test func inputThatNobodyReads() async throws {
        let done = try await ChildProcess.run("true", input: [UInt8](repeating: 1, count: 4 << 20))
        #expect(done.status == .exited(0))
    }

    @Test("More output than the limit is an error, and the child ends")
    func limit() async throws {
        try await withOwnLoop { loop in
            do {
                _ = try await ChildProcess.run("yes", limit: 100_000, on: loop)
                Issue.record("no error")
            } catch let error as UVError {
                #expect(error.code == .messageTooLong && error.operation == "run")
                #expect(error.subject == "more than 100000 bytes of output of yes")
            }
            await expectError(.messageTooLong) {
                try await ChildProcess.run("sh", ["-c", "yes >&2"], limit: 100_000, on: loop)
            }
            #expect(try await openHandles(of: loop).isEmpty)
        }
    }

    @Test("A run that takes too long is an error, and the child ends") func timeout() async throws {
        await expectError(.timedOut) {
            try await ChildProcess.run("sleep", ["1000"], timeout: .milliseconds(20), grace: .zero)
        }
        #expect(try await ChildProcess.run("true", timeout: .seconds(60)).status.isSuccess)
    }

    @Test func aDeadlineNamesTheProgramWhoseOutputDidNotCome() async throws {
        let (_, text) = try await ChildProcess.withProcess("cat") { _, output, _ in
            var text = ""
            // On a busy machine a deadline may come before the read waits.
            for milliseconds in [1, 20, 200, 2_000, 20_000] where !text.contains("of read") {
                let error = await #expect(throws: UVError.self) {
                    try await withTimeout(.milliseconds(milliseconds)) { _ = try await output.readLine() }
                }
                text = "\(error as Any)"
            }
            return text
        }
        #expect(text.contains("of read from the output of cat"), "\(text)")
    }

    @Test("P1: what cannot be started is an error with its name; nothing stays")
    func failures() async throws {
        try await withOwnLoop { loop in
            for _ in 0..<100 {
                for (program, options, code) in [
                    ("no-such-program", ProcessOptions(), UVError.Code.noSuchFileOrDirectory),
                    ("/etc/passwd", ProcessOptions(), .permissionDenied),
                    ("true", ProcessOptions(directory: "/no/such/directory"), .noSuchFileOrDirectory),
                    ("tr\0ue", ProcessOptions(), .invalidArgument),
                ] {
                    await expectError(code) {
                        try await ChildProcess.run(program, options: options, input: [1], on: loop)
                    }
                }
            }
            do { _ = try await ChildProcess.run("no-such-program", on: loop) } catch {
                #expect("\(error)" == "no such file or directory (ENOENT) in spawn of no-such-program")
            }
            let left = try await openHandles(of: loop)
            #expect(left.isEmpty)
        }
        await expectError(.canceled) {
            let loop = try EventLoop()
            await loop.shutdown()
            _ = try await ChildProcess.spawn("true", on: loop)
        }
    }

    @Test("P2: a hundred children at once, a mebibyte of each, all of it there")
    func aHundredChildren() async throws {
        try await withThrowingTaskGroup(of: (Int, ChildProcess.Finished).self) { group in
            for number in 0..<100 {
                group.addTask {
                    let command = "head -c 1048576 /dev/zero | tr '\\0' '\(number % 10)'; exit \(number)"
                    return (number, try await ChildProcess.run("sh", ["-c", command]))
                }
            }
            for try await (number, done) in group {
                #expect(done.status == .exited(Int32(number)))
                #expect(done.output == Array(repeating: UInt8(ascii: "0") + UInt8(number % 10), count: 1 << 20))
            }
        }
    }

    @Test func fiveHundredAtOnce() async throws {
        try await withOwnLoop { loop in
            let children = try await withThrowingTaskGroup(of: ChildProcess.self) { group in
                for _ in 0..<500 {
                    group.addTask(executorPreference: loop) { try await ChildProcess.spawn("cat", input: .pipe) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(children.map(\.id)).count == 500)
            for child in children { await child.input?.close() }
            for child in children { #expect(try await child.wait() == .exited(0)) }
        }
    }

    // MARK: Talking

    @Test func conversation() async throws {
        let (status, answers) = try await ChildProcess.withProcess("cat") { input, output, errors in
            var answers: [String?] = []
            for word in ["one", "two"] {
                try await input.write(word + "\n")
                answers.append(try await output.readLine())
            }
            try await input.write("three\nfour")
            try await input.finishWriting()
            await expectError(.badFileDescriptor) { try await input.write("more") }
            for try await line in output.lines() { answers.append(line) }
            #expect(try await errors.readToEnd().isEmpty)
            return answers
        }
        #expect(status == .exited(0) && answers == ["one", "two", "three", "four"])
    }

    @Test("A stream is copied through a child")
    func copied() async throws {
        try await withOwnLoop { loop in
            let (near, far) = try await connectedPair(on: loop)
            let (status, upper) = try await ChildProcess.withProcess("tr", ["a-z", "A-Z"], on: loop) {
                input, output, _ in
                async let copied = far.copy(to: input)
                try await near.write("shout")
                try await near.finishWriting()
                let bytes = try await output.readToEnd()
                #expect(try await copied == 5)
                return bytes
            }
            #expect(status.isSuccess && upper == Array("SHOUT".utf8))
            await near.close()
            await far.close()
        }
    }

    @Test("When the body returns, a child that still writes is ended, and one that reads finds the end")
    func bodyReturns() async throws {
        let writing = try await ChildProcess.withProcess("yes") { _, output, _ in try await output.read(upTo: 2) }
        #expect(writing.status == .signaled(.brokenPipe) && writing.value == Array("y\n".utf8))
        #expect(try await ChildProcess.withProcess("cat") { _, _, _ in }.status == .exited(0))
    }

    @Test("K2: when the body throws the child ends first")
    func bodyThrows() async throws {
        struct Stop: Error {}
        let id = Shared(Int32(0))
        await #expect(throws: Stop.self) {
            try await ChildProcess.withProcess("sh", ["-c", "echo $$; exec cat"]) { _, output, _ in
                id.value = Int32(try await output.readLine() ?? "") ?? 0
                throw Stop()
            }
        }
        expectError(.noSuchProcess) { try Signal(0).send(toProcess: id.value) }
    }

    // MARK: Cancellation

    @Test("C1: cancelled before, in a read, a write, a wait: CancellationError, and the child has ended")
    func cancellation() async throws {
        try await withOwnLoop { loop in
            let ids = Shared<[Int32]>([])
            let started = Shared(0)
            func cancel(
                _ body: @escaping @Sendable (ChildInput, ChildOutput, ChildOutput) async throws -> Void
            ) async throws {
                let task = loop.spawn {
                    _ = try await ChildProcess.withProcess("sh", ["-c", "echo $$; exec sleep 1000"]) {
                        input, output, errors in
                        let id = Int32(try await output.readLine() ?? "") ?? 0
                        ids.change { $0.append(id) }
                        started.change { $0 += 1 }
                        try await body(input, output, errors)
                    }
                }
                let count = started.value
                while started.value == count { try await loop.sleep(for: .milliseconds(1)) }
                try await loop.waitUntilIdle()
                task.cancel()
                let error = await failure(of: task)
                #expect(error is CancellationError, "\(count): \(error as Any)")
            }
            try await cancel { _, output, _ in _ = try await output.read() }
            try await cancel { _, output, _ in _ = try await output.readToEnd() }
            try await cancel { input, _, _ in try await input.write([UInt8](repeating: 0, count: 4 << 20)) }
            try await cancel { input, _, _ in
                // It has begun, so it goes on behind our back.
                await expectError(.timedOut) {
                    try await input.write([UInt8](repeating: 0, count: 4 << 20), timeout: .milliseconds(1))
                }
                try await input.finishWriting()
            }
            // After the body: in the wait for the child's end.
            try await cancel { _, _, _ in }
            #expect(ids.value.count == 5)
            for id in ids.value { expectError(.noSuchProcess) { try Signal(0).send(toProcess: id) } }
            // Before.
            let before = loop.spawn {
                while !Task.isCancelled { await Task.yield() }
                return try await ChildProcess.run("true")
            }
            before.cancel()
            #expect(await failure(of: before) is CancellationError)
            #expect(try await openHandles(of: loop).isEmpty)
        }
    }

    @Test("A cancelled run ends a child that ignores SIGTERM, and its descendants, after the grace")
    func stubborn() async throws {
        try await withOwnLoop { loop in
            let path = "/tmp/swift-uv-stubborn-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            defer { unsafe unlink(path) }
            let command =
                "trap '' TERM; sleep 1000 & echo $! > \(path).new; mv \(path).new \(path); while :; do wait; sleep 1000; done"
            let start = ContinuousClock.now
            let task = loop.spawn {
                try await ChildProcess.run("sh", ["-c", command], grace: .milliseconds(50))
            }
            while unsafe access(path, F_OK) != 0 { try await loop.sleep(for: .milliseconds(1)) }
            let descendant = try #require(
                Int32(String(contentsOfFile: path, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
            task.cancel()
            #expect(await failure(of: task) is CancellationError)
            #expect(ContinuousClock.now - start > .milliseconds(50))
            try await expectGone(descendant, on: loop)
        }
    }

    @Test("Descendants that a child has left behind are killed when its body throws, and only then")
    func leftBehind() async throws {
        try await withOwnLoop { loop in
            for throwing in [false, true] {
                let ids = Shared<[Int32]>([])
                let command = "sleep 1000 > /dev/null 2>&1 & echo $$ $!"
                let task = loop.spawn {
                    try await ChildProcess.withProcess("sh", ["-c", command]) { _, output, _ in
                        ids.value = try await output.readLine()?.split(separator: " ").compactMap { Int32($0) } ?? []
                        try await self.expectGone(#require(ids.value.first), on: loop)
                        if throwing { throw CancellationError() }
                    }.status
                }
                if throwing {
                    #expect(await failure(of: task) is CancellationError)
                } else {
                    #expect(try await task.value.isSuccess)
                    #expect(kill(try #require(ids.value.last), 0) == 0)
                    kill(try #require(ids.value.last), SIGKILL)
                }
                try await expectGone(#require(ids.value.last), on: loop)
            }
        }
    }

    @Test("Descendants that outlive a child that has been told to end are killed")
    func descendants() async throws {
        try await withOwnLoop { loop in
            let child = try await ChildProcess.spawn(
                "sh", ["-c", "(trap '' TERM; echo ready; while :; do sleep 1000; done) & wait"],
                options: ProcessOptions(isDetached: true), output: .pipe, on: loop)
            #expect(try await child.output?.readLine() == "ready")
            #expect(await child.terminate() == .signaled(.terminate))
            // Nobody has the pipe any more.
            #expect(try await child.output?.read() == nil)
            #expect(await child.terminate() == .signaled(.terminate))
        }
    }

    /// Waits for the end of a process that is not ours: an orphan's number is free when the system's first process has waited for it.
    private func expectGone(_ process: Int32, on loop: EventLoop) async throws {
        for _ in 0..<10_000 {
            guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return }
            if text.contains(") Z ") { return }
            try await loop.sleep(for: .milliseconds(1))
        }
        Issue.record("process \(process) lives on")
    }

    @Test func waitIsCancelledAlone() async throws {
        try await withOwnLoop { loop in
            let child = try await ChildProcess.spawn("cat", input: .pipe, on: loop)
            let first = loop.spawn { try await child.wait() }
            let second = loop.spawn { try await child.wait() }
            try await loop.waitUntilIdle()
            first.cancel()
            #expect(await failure(of: first) is CancellationError)
            await expectError(.timedOut) { try await child.wait(timeout: .milliseconds(1)) }
            #expect(try await child.exitStatus == nil)
            try await child.kill(Signal(0))
            await child.input?.close()
            #expect(try await second.value == .exited(0))
            #expect(try await child.wait() == .exited(0))
            #expect(try await child.exitStatus == .exited(0))
            await expectError(.noSuchProcess) { try await child.kill() }
            await expectError(.noSuchProcess) { try await child.killGroup() }
        }
    }

    @Test("K1: a loop that ends leaves the child alone, and ends the waits")
    func loopEnds() async throws {
        let loop = try EventLoop()
        let child = try await ChildProcess.spawn("cat", input: .pipe, output: .pipe, on: loop)
        let waits = loop.spawn { try await child.wait() }
        let reads = loop.spawn { try await child.output?.read() }
        let runs = loop.spawn { try await ChildProcess.run("cat", input: [UInt8](repeating: 0, count: 1 << 20)).status }
        try await loop.waitUntilIdle()
        await loop.shutdown()
        #expect(code(of: await failure(of: waits)) == .canceled)
        #expect(code(of: await failure(of: reads)) == .canceled)
        _ = await runs.result
        await expectError(.canceled) { try await child.kill() }
        #expect(await child.terminate() == nil)
    }

    // MARK: Standard streams

    @Test func filesAndConnections() async throws {
        try await withOwnLoop { loop in
            let path = FilePath("/tmp/swift-uv-child-\(getpid())-\(UInt32.random(in: 0 ... .max))")
            defer { unsafe unlink(path.string) }
            let file = try await File.open(path, .readWrite, options: [.create, .truncate], on: loop)
            let writer = try await ChildProcess.spawn("echo", ["text"], output: .file(file), on: loop)
            #expect(try await writer.wait() == .exited(0))
            #expect(try await file.read(upTo: 100, at: 0) == Array("text\n".utf8))
            try await file.close()

            let (near, far) = try await connectedPair(on: loop)
            let echo = try await ChildProcess.spawn(
                "cat", input: .connection(far), output: .connection(far), on: loop)
            try await near.write("echo")
            try await near.finishWriting()
            #expect(try await near.readToEnd() == Array("echo".utf8))
            #expect(try await echo.wait() == .exited(0))
            await expectError(.badFileDescriptor) { try await far.write("x") }
            await near.close()
            let other = try EventLoop()
            let (here, there) = try await connectedPair(on: other)
            await expectError(.invalidArgument) {
                try await ChildProcess.spawn("cat", input: .connection(here), on: loop)
            }
            _ = there
            await other.shutdown()
        }
    }

    @Test func droppedObjects() async throws {
        try await withOwnLoop { loop in
            do {
                let child = try await ChildProcess.spawn("cat", input: .pipe, output: .pipe, on: loop)
                try await child.input?.write("x")
            }
            // The pipes are closed with their last references, then the child ends.
            while try await !openHandles(of: loop).isEmpty { try await loop.sleep(for: .milliseconds(1)) }
        }
    }
}
