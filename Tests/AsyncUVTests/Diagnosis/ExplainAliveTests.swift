import AsyncUV
import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct ExplainAliveTests {
    @Test(.solePool) func everyKindOfWaitIsNamed() throws {
        try onLoop { loop in
            let near = try await TCPListener.onLoopback(on: loop)
            let (one, other) = try await connectedPair(on: loop)
            let full = try await other.fill(loop)
            let (quiet, silent) = try await connectedPair(on: loop)
            let udp = try await UDPSocket.bind(to: .loopback(port: 0), on: loop)
            let (local, peer) = try await LocalChannel.pair(on: loop)
            let channel = Channel<Int>(label: "numbers", on: loop)
            let crowd = Channel<Int>(on: loop)
            let semaphore = AsyncSemaphore(permits: 0, on: loop)
            let signals = try await Signals.watch(.windowChange, on: loop)
            // The names of functions may take longer than a minute.
            let child = try await ChildProcess.spawn("sleep", ["3600"], on: loop)
            let (reading, writing) = try FileDescriptor.pipe()
            let folder = FilePath(FileManager.default.temporaryDirectory.path).appending("swift-uv-\(UUID())")
            try await FileSystem.makeDirectory(folder)
            let changes = try await FileSystem.changes(at: folder)
            let gate = Gate()
            let door = DispatchSemaphore(value: 0)
            let tasks = [
                loop.spawn { try await loop.sleep(for: .seconds(3_600)) },
                loop.spawn { _ = try await quiet.read(upTo: 1, timeout: .seconds(3_600)) },
                loop.spawn { _ = try await near.accept() },
                loop.spawn { _ = try await udp.receive() },
                loop.spawn { _ = try await local.receive() },
                loop.spawn { for try await _ in channel {} },
                loop.spawn { try await crowd.send(1) },
                loop.spawn { try await semaphore.acquire() },
                loop.spawn { _ = try await signals.next() },
                loop.spawn { _ = try await child.wait() },
                loop.spawn { try await loop.waitUntilReadable(reading) },
                loop.spawn { try await loop.offload { door.wait() } },
                loop.spawn { _ = try await changes.next() },
                loop.spawn {
                    try await withTimeout(.seconds(3_600), on: loop) { try await loop.sleep(for: .seconds(3_700)) }
                },
            ]
            try await loop.waitUntilIdle()
            let report = try await loop.explainAlive()
            let kinds = Set(report.entries.map(\.kind))
            for kind in [
                "sleep", "write", "accept", "receive", "next", "send", "acquire", "signal wait", "wait",
                "waitUntilReadable", "offload", "wait for changes", "withTimeout", "TCP listener", "TCP connection",
                "UDP socket", "signal watch", "child process \(child.id)",
            ] { #expect(kinds.contains(kind), "\(kind) in \(report)") }
            let text = report.description
            for part in [
                "a task waits to read", "bytes wait to be written", "nobody reads", "things are on EventLoop:",
            ] {
                #expect(text.contains(part), "\(part) in \(report)")
            }
            for task in tasks + [full] { task.cancel() }
            door.signal()
            for task in tasks + [full] { _ = await task.result }
            try await child.kill(.kill)
            _ = try await child.wait()
            for end in [reading, writing] { try end.close() }
            await gate.open()
            try await FileSystem.remove(folder)
            for connection in [one, other, quiet, silent] { await connection.close() }
            for end in [local, peer] { await end.close() }
            await near.close()
            await udp.close()
        }
    }

    @Test(.disabled(if: isPlain, "the frames of tasks are a shortcut")) func aWaitNamesTheFunctionsThatWait() throws {
        try onLoop { loop in
            let semaphore = AsyncSemaphore(permits: 0, on: loop)
            let (near, far) = try await connectedPair(on: loop)
            let upload = loop.spawn { try await theUpload(semaphore) }
            let handler = loop.spawn { try await theHandler(near) }
            try await loop.waitUntilIdle()
            let report = try await loop.explainAlive()
            let wait = try #require(report.entries.first { $0.kind == "acquire" })
            #expect(
                wait.place?.hasPrefix("theUpload(_:) at ExplainAliveTests.swift:") == true, "\(wait.waitsIn.allLines)")
            #expect(
                wait.waitsIn.lines.first?.hasPrefix("AsyncSemaphore.acquire(timeout:) at ") == true,
                "\(wait.waitsIn.lines)")
            let read = try #require(report.entries.first { $0.detail == "a task waits to read" })
            let lines = read.waitsIn.lines
            let reading = try #require(
                lines.firstIndex { $0.hasPrefix("theReadOfALine(_:) at ExplainAliveTests.swift:") }, "\(lines)")
            let handling = try #require(
                lines.firstIndex { $0.hasPrefix("theHandler(_:) at ExplainAliveTests.swift:") }, "\(lines)")
            #expect(reading < handling)
            semaphore.release()
            await far.close()
            try await upload.value
            try await handler.value
            await near.close()
        }
    }

    @Test func theBodyOfRunIsShownWhereverItWaits() throws {
        let loop = Shared<EventLoop?>(nil)
        let gate = Gate()
        let report = Shared<AliveReport?>(nil)
        Task.detached {
            while loop.value == nil { await Task.yield() }
            guard let loop = loop.value else { return }
            report.value = try? await loop.explainAlive()
            await gate.open()
        }
        try EventLoop.run {
            loop.value = $0
            await gate.wait()
        }
        let entries = try #require(report.value?.entries)
        #expect(entries.contains { $0.kind == "body of EventLoop.run" })
    }

    @Test(.soleDiagnostics) func tracingShowsTasksOfSpawnThatWaitElsewhere() throws {
        let before = Diagnostics.isTracing
        defer { Diagnostics.isTracing = before }
        Diagnostics.isTracing = true
        try onLoop { loop in
            let gate = Gate()
            let task = Task(name: "the parent", executorPreference: loop) { theSpawn(gate, on: loop) }
            let child = await task.value
            try await loop.waitUntilIdle()
            let report = try await loop.explainAlive()
            let entry = try #require(
                report.entries.first { $0.madeBy.place?.hasPrefix("theSpawn(_:on:) at ExplainAlive") == true },
                "\(report)")
            #expect(entry.kind == "task of spawn")
            // The name of a task is a shortcut's to find.
            if !isPlain { #expect(entry.task == "the parent") }
            await gate.open()
            await child.value
        }
    }

    @Test func aLoopThatHasEndedSaysSo() async throws {
        let loop = try EventLoop()
        await loop.shutdown()
        await #expect(throws: UVError.self) { _ = try await loop.explainAlive() }
    }
}

#if os(Linux)
extension FileTests {
    /// Among the tests of files, because look-ups that hang are the process's, too.
    @Suite struct ExplainedWaits {
        @Test func everyOtherKindOfWaitIsNamed() throws {
            let pseudo = try PseudoTerminal()
            try inFolder { loop, folder in
                let full = try await FullBacklog()
                cfaults_hang_look_ups()
                defer { cfaults_let_look_ups_go() }
                let fifo = folder.appending("fifo")
                #expect(unsafe mkfifo(fifo.string, 0o600) == 0)
                let path = folder.appending("file")
                try path.put([])
                let (holder, other) = (try await File.open(path), try await File.open(path))
                try await holder.lock()
                let (readEnd, writeEnd) = try PipeHandle.pipe(writeBlocks: false)
                while (try? writeEnd.writeAll([UInt8](repeating: 1, count: 4_096))) != nil {}
                let terminal = try await Terminal.open(pseudo.program, on: loop)
                let tasks = [
                    loop.spawn { _ = try await TCPConnection.connect(to: full.address) },
                    loop.spawn { _ = try await Resolver.addresses(of: "host.hang.invalid", port: 1) },
                    loop.spawn { _ = try await FileSystem.readFile(fifo) },
                    loop.spawn { try await other.lock() },
                    loop.spawn { try await loop.waitUntilWritable(writeEnd) },
                    loop.spawn { for try await _ in terminal.keys() {} },
                    loop.spawn { for try await _ in loop.ticks(every: .seconds(3_600)) {} },
                ]
                try await wait(on: loop) { cfaults_hanging_look_ups() == 1 }
                try await loop.waitUntilIdle()
                let report = try await loop.explainAlive()
                let waits = Set(report.entries.filter { $0.standing == .waits }.map(\.kind))
                for kind in ["connect", "look-up", "readFile", "lock", "waitUntilWritable", "sleep"] {
                    #expect(waits.contains(kind), "\(kind) in \(report)")
                }
                let keys = try #require(report.entries.first(where: { $0.kind == "terminal" }))
                #expect(keys.detail == "a task waits to read")
                if !isPlain {
                    let ticks = try #require(report.entries.first(where: { $0.kind == "sleep" }))
                    for (entry, function) in [
                        (ticks, "Ticks.AsyncIterator.next"), (keys, "Terminal.Keys.AsyncIterator.next"),
                    ] {
                        #expect(entry.waitsIn.lines.contains { $0.contains(function) }, "\(entry.waitsIn.lines)")
                    }
                }
                for task in tasks { task.cancel() }
                for task in tasks { #expect(await failure(of: task) is CancellationError) }
                await terminal.close()
                try await holder.close()
                try await other.close()
                for end in [readEnd, writeEnd] { try end.close() }
                full.close()
            }
        }
    }
}
#endif

/// They set the one handler of the process.
@Suite(.serialized, .soleDiagnostics, .disabled(if: isSanitized, "sanitizers hold signals back"))
struct LoopDiagnosisTests {
    @Test func aStalledJobIsReportedWithItsTaskAndFunction() async throws {
        let reports = DiagnosticReports()
        try await withOwnLoop { loop in
            try await loop.reportStalls(longerThan: .milliseconds(50))
            let task = Task(name: "the culprit", executorPreference: loop) { await theCulprit(reports) }
            await task.value
        }
        let first = try #require(reports.all.first { $0.contains("theFunctionThatBlocks") })
        #expect(first.contains("theFunctionThatBlocks(until:_:) at ExplainAliveTests.swift:"), "\(first)")
        if !isPlain { #expect(first.contains("in a task \"the culprit\""), "\(first)") }
    }

    @Test(.soleCounters) func aLoopThatIsStuckIsNamedByTheSignalWithItsBacktrace() async throws {
        let reports = DiagnosticReports()
        // For the rest of the process, so not a signal that other tests watch.
        try EventLoop.explainAlive(on: .alarm)
        try await withOwnLoop { loop in
            let sleeper = loop.spawn { try await loop.sleep(for: .seconds(3_600)) }
            let stuck = try EventLoop(label: "stuck")
            let isStuck = Shared(false)
            let task = stuck.spawn {
                isStuck.value = true
                theFunctionThatBlocks(until: reports) { $0.contains("\"stuck\"") }
            }
            while !isStuck.value { await Task.yield() }
            kill(getpid(), SIGALRM)
            _ = await task.result
            await stuck.shutdown()
            sleeper.cancel()
            _ = await sleeper.result
        }
        let text = reports.all.joined(separator: "\n")
        #expect(text.contains("EventLoop \"stuck\" does not answer; its thread is at:"), "\(text)")
        #expect(text.contains("theFunctionThatBlocks(until:_:) at ExplainAliveTests.swift:"), "\(text)")
    }

    @Test(.solePool) func aShutdownThatTakesLongSaysWhatItWaitsFor() async throws {
        let reports = DiagnosticReports()
        let before = Diagnostics.slowShutdown
        defer { Diagnostics.slowShutdown = before }
        Diagnostics.slowShutdown = .milliseconds(50)
        let loop = try EventLoop(label: "files")
        // A read that nobody can end: a thread is in it.
        let (reading, writing) = try FileDescriptor.pipe()
        let begun = Shared(false)
        try await loop.withLoop { loop in
            _ = try WorkRequest.run(on: loop) {
                begun.value = true
                var byte: UInt8 = 0
                _ = try unsafe withUnsafeMutableBytes(of: &byte) { try unsafe reading.read(into: $0) }
            } onDone: { _, _ in
            }
        }
        while !begun.value { await Task.yield() }
        async let end: Void = loop.shutdown()
        while !reports.all.contains(where: { $0.contains("\"files\"") }) { await Task.yield() }
        try writing.close()
        await end
        try reading.close()
        let text = reports.all.joined(separator: "\n")
        #expect(
            text.contains("the end of EventLoop \"files\" takes long:") && text.contains("work, in the thread pool"),
            "\(text)")
    }

    @Test func aShutdownOfAStuckLoopNamesTheFunction() async throws {
        let reports = DiagnosticReports()
        let before = Diagnostics.slowShutdown
        defer { Diagnostics.slowShutdown = before }
        Diagnostics.slowShutdown = .milliseconds(50)
        let loop = try EventLoop(label: "late")
        let task = loop.spawn { theFunctionThatBlocks(until: reports) { $0.contains("\"late\"") } }
        await loop.shutdown()
        _ = await task.result
        let text = reports.all.joined(separator: "\n")
        #expect(
            text.contains("EventLoop \"late\" was told to shut down and has not begun to; its thread is at:"), "\(text)"
        )
        #expect(text.contains("theFunctionThatBlocks(until:_:) at ExplainAliveTests.swift:"), "\(text)")
    }
}

#if SWIFT_UV_PLAIN
private let isPlain = true
#else
private let isPlain = false
#endif

@inline(never)
private func theUpload(_ semaphore: AsyncSemaphore) async throws {
    try await semaphore.acquire()
    semaphore.release()
}

@inline(never)
private func theHandler(_ connection: TCPConnection) async throws {
    while try await theReadOfALine(connection) != nil {}
}

@inline(never)
private func theReadOfALine(_ connection: TCPConnection) async throws -> [UInt8]? {
    let bytes = try await connection.read(upTo: 10)
    return bytes.map { $0 + [0] }
}

@inline(never)
private func theSpawn(_ gate: Gate, on loop: EventLoop) -> Task<Void, Never> {
    loop.spawn(onError: { _ in }) { await gate.wait() }
}

@inline(never)
private func theCulprit(_ reports: DiagnosticReports) async {
    theFunctionThatBlocks(until: reports)
    await Task.yield()
}

@inline(never)
private func theFunctionThatBlocks(
    until reports: DiagnosticReports, _ isMeant: (String) -> Bool = { $0.contains("theFunctionThatBlocks") }
) {
    // A report that never comes is a failed test, not one that hangs. On a busy machine the names of functions take a minute.
    let end = ContinuousClock.now + .seconds(50 * patience)
    while !reports.all.contains(where: isMeant), ContinuousClock.now < end { usleep(100_000) }
}
