import CHostLoop
import SystemPackage
import TestSupport
import Testing
import UV

/// A C program's loop, with handles of Swift's beside the program's own.
@safe
final class Host {
    let raw = unsafe chost_make()!

    /// Runs the loop until nothing is left.
    func run() { unsafe chost_run(raw, 0) }

    /// One turn that does not wait.
    func turn() { unsafe chost_run(raw, 2) }

    /// Closes the loop. It must be possible, and the loop's `data` the host's.
    func close(_ location: SourceLocation = #_sourceLocation) {
        #expect(unsafe chost_data(raw) == 7, sourceLocation: location)
        #expect(unsafe chost_close(raw) == 0, sourceLocation: location)
    }
}

@Suite(.ownThread) struct AdoptedLoopTests {
    @Test("Both sides' timers fire while the host runs the loop; close ends Swift's alone")
    func bothSides() throws {
        let host = Host()
        let theirs = unsafe chost_timer(host.raw, 1, 1, nil, nil)
        let loop = unsafe try Loop(adopting: host.raw)
        #expect(Loop.current === loop)
        var calls = 0
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .milliseconds(1), every: .milliseconds(1)) { _ in
            calls += 1
            #expect(Loop.current === loop)
        }
        #expect(loop.handles.count == 1 && loop.foreignHandleCount == 1)
        while unsafe calls < 3 || chost_timer_calls(theirs) < 3 { unsafe chost_run(host.raw, 1) }

        var closed = 0
        timer.close { _ in closed += 1 }
        #expect(unsafe chost_close(host.raw) != 0)
        try loop.close()
        try loop.close()
        #expect(Loop.current == nil && loop.handles.isEmpty && !loop.isAlive)
        expectError(.badFileDescriptor) { try TimerHandle(on: loop) }
        let before = unsafe (calls, chost_timer_calls(theirs))
        while unsafe chost_timer_calls(theirs) < before.1 + 3 { unsafe chost_run(host.raw, 1) }
        #expect(calls == before.0 && closed == 1)
        unsafe chost_close_timer(theirs)
        host.run()
        host.close()
    }

    @Test("Closing all handles, and the list of handles, leave out what is the host's")
    func onlyOurs() throws {
        let host = Host()
        let theirs = unsafe (0..<3).map { _ in unsafe chost_timer(host.raw, 1, 1, nil, nil) }
        let loop = unsafe try Loop(adopting: host.raw)
        for _ in 0..<2 { try TimerHandle(on: loop).start(after: .seconds(100)) { _ in } }
        #expect(loop.handles.count == 2 && loop.foreignHandleCount == 3)
        #expect(loop.handleList().split(separator: "\n").count >= 5)
        try loop.closeAllHandles()
        host.turn()
        #expect(loop.handles.isEmpty && loop.foreignHandleCount == 3)
        while unsafe chost_timer_calls(theirs[2]) < 2 { unsafe chost_run(host.raw, 1) }
        unsafe theirs.forEach { unsafe chost_close_timer($0) }
        try loop.close()
        host.run()
        host.close()
    }

    @Test("A handle of the host's in the memory of one of ours, which was not cleared, is not taken for ours")
    func reusedMemory() throws {
        let host = Host()
        let loop = unsafe try Loop(adopting: host.raw)
        for round in 0..<200 {
            for _ in 0..<3 { try TimerHandle(on: loop).close() }
            host.turn()
            let theirs = unsafe (0..<3).map { _ in unsafe chost_timer(host.raw, 1_000, 0, nil, nil) }
            #expect(loop.handles.isEmpty && loop.foreignHandleCount == 3, "round \(round)")
            unsafe theirs.forEach { unsafe chost_close_timer($0) }
            host.turn()
        }
        try loop.close()
        host.turn()
        host.close()
    }

    @Test("A loop is adopted once, and again after a close; a loop of Swift's is not")
    func twice() throws {
        let host = Host()
        let loop = unsafe try Loop(adopting: host.raw)
        expectError(.resourceBusy) { unsafe try Loop(adopting: host.raw) }
        try loop.close()
        host.turn()
        let again = unsafe try Loop(adopting: host.raw)
        #expect(Loop.current === again)
        try again.close()
        host.turn()
        host.close()
        try withLoop { loop in
            unsafe try loop.withUnsafeLoop { raw in
                expectError(.resourceBusy) { unsafe try Loop(adopting: raw) }
            }
        }
    }

    @Test("Swift neither runs the host's loop, nor is it kept from running its own beside it")
    func running() throws {
        let host = Host()
        let adopted = unsafe try Loop(adopting: host.raw)
        expectError(.notPermitted) { try adopted.run() }
        try withLoop { own in
            try TimerHandle(on: own).start(after: .zero) { timer in
                #expect(Loop.current === own)
                timer.close()
            }
        }
        #expect(Loop.current === adopted)
        try adopted.close()
        host.turn()
        host.close()
    }

    @Test("A loop may be adopted, and left, inside a callback of the host's")
    func insideACallback() throws {
        final class Story {
            let host = Host()
            var fired = 0
            func begin() throws {
                let loop = unsafe try Loop(adopting: host.raw)
                try TimerHandle(on: loop).start(after: .milliseconds(1)) { timer in
                    self.fired += 1
                    try? loop.close()
                    #expect(timer.isClosing)
                }
            }
        }
        let story = Story()
        let timer = unsafe chost_timer(
            story.host.raw, 1, 0, { unsafe try? Unmanaged<Story>.fromOpaque($0!).takeUnretainedValue().begin() },
            Unmanaged.passUnretained(story).toOpaque())
        story.host.run()
        #expect(story.fired == 1)
        unsafe chost_close_timer(timer)
        story.host.run()
        story.host.close()
    }

    @Test(
        "A loop object that is dropped without a close leaves the host's loop usable",
        .disabled(if: isSanitized, "what it has put on the host's loop is a leak"))
    func dropped() throws {
        let host = Host()
        do {
            let loop = unsafe try Loop(adopting: host.raw)
            try TimerHandle(on: loop).close()
            host.turn()
        }
        #expect(Loop.current == nil)
        let timer = unsafe chost_timer(host.raw, 1, 0, nil, nil)
        host.run()
        unsafe chost_close_timer(timer)
        host.run()
        host.close()
    }

    @Test(
        "A request that is with the pool when Swift leaves ends as usual, and keeps the host's loop running until then")
    func requestsUnderWay() throws {
        let host = Host()
        let loop = unsafe try Loop(adopting: host.raw)
        var ends = 0
        for _ in 0..<20 { try WorkRequest.run(on: loop, { _ = 1 + 1 }) { _, _ in ends += 1 } }
        try loop.close()
        host.run()
        #expect(ends == 20)
        host.close()
    }

    @Test(
        "A host that closes everything it finds does not end the process when Swift closes its handles, too",
        .disabled(if: isSanitized, "a handle that is not told of its end stays"))
    func carelessHost() throws {
        let host = Host()
        let loop = unsafe try Loop(adopting: host.raw)
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .seconds(100)) { _ in }
        unsafe chost_close_all(host.raw)
        timer.close()
        try loop.close()
        host.run()
        host.close()
    }

    @Test("K4: use on another thread stops the process with a sentence")
    func wrongThread() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try misuse()
        }
        let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(text.contains("Loop used off its loop's thread"))
    }
}

private func misuse() throws {
    let host = Host()
    nonisolated(unsafe) let loop = unsafe try Loop(adopting: host.raw)
    _ = try PlainThread { unsafe loop.isAlive }.value()
}

/// Loops of Swift's with handles of C code.
@Suite(.ownThread) struct LentToCTests {
    @Test("A C timer runs on Swift's loop, which is not closed before it")
    func timer() throws {
        let loop = try Loop()
        var theirs: UnsafeMutableRawPointer?
        unsafe try loop.withUnsafeLoop { raw in unsafe theirs = chost_timer(raw, 1, 1, nil, nil) }
        while unsafe chost_timer_calls(theirs) < 3 { try loop.run(.once) }
        #expect(loop.handles.isEmpty && loop.foreignHandleCount == 1)
        try loop.closeAllHandles()
        do {
            try loop.close()
            Issue.record("closed below a C timer")
        } catch {
            #expect(error.code == .resourceBusy)
            #expect("\(error)".contains("a loop with 1 open handle of C code"))
        }
        unsafe chost_close_timer(theirs)
        try loop.run()
        try loop.close()
        #expect(throws: UVError.self) { unsafe try loop.withUnsafeLoop { _ in } }
    }

    @Test(
        "The report and the error of close name C code's handles: what keeps the loop alive, what does not, what closes"
    )
    func explained() throws {
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            var timer: UnsafeMutableRawPointer?
            var watch: UnsafeMutableRawPointer?
            unsafe try loop.withUnsafeLoop { raw in
                unsafe timer = chost_timer(raw, 1_000_000, 0, nil, nil)
                unsafe watch = chost_watch(raw, pipe.readEnd.rawValue, { _ in }, nil)
            }
            let own = try TimerHandle(on: loop)
            let report = loop.explainAlive()
            #expect(report.entries.map(\.kind) == ["timer", "timer", "poll"])
            #expect(report.entries.map(\.standing) == [.isIdle, .keepsLoopAlive, .keepsLoopAlive])
            let lines = report.description.split(separator: "\n")
            #expect(lines[0] == "2 things keep this loop alive:")
            #expect(lines[1].hasPrefix("  timer, made by C code, due in "), "\(report)")
            #expect(lines[2] == "  poll of descriptor \(pipe.readEnd.rawValue), made by C code")
            let error = try #require(throws: UVError.self) { try loop.close() }
            #expect(
                error.subject?.hasPrefix("a loop with 2 open handles of C code and 1 open handle: timer, not active")
                    == true,
                "\(error)")
            #expect(error.subject?.contains("; timer, made by C code, due in ") == true, "\(error)")
            unsafe chost_unref(timer)
            unsafe chost_stop_watch(watch)
            let idle = loop.explainAlive()
            #expect(idle.description.hasPrefix("nothing keeps this loop alive\n3 are open without keeping it alive:"))
            #expect(idle.entries[1].detail?.hasSuffix(", not referenced") == true, "\(idle)")
            #expect(idle.entries[2].detail == "made by C code, not active", "\(idle)")
            unsafe chost_close_timer(timer)
            unsafe chost_close_watch(watch)
            own.close()
            #expect(loop.explainAlive().entries.map(\.standing) == [.isClosing, .isClosing, .isClosing])
            try loop.run()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
    }

    @Test("A request of C code that alone keeps a loop alive is told")
    func request() throws {
        try withLoop { loop in
            #expect(loop.explainAlive().entries.isEmpty)
            unsafe try loop.withUnsafeLoop { raw in #expect(unsafe chost_work(raw) == 0) }
            #expect(
                loop.explainAlive().description
                    == "1 thing keeps this loop alive:\n  request, made by C code or by libuv")
            try loop.run()
            #expect(loop.explainAlive().entries.isEmpty)
        }
    }

    @Test("A C library reads a descriptor of its own on Swift's loop")
    func watch() throws {
        final class Reader { var bytes: [UInt8] = [] }
        let reader = Reader()
        try withLoop { loop in
            let pipe = try FileDescriptor.pipe()
            var watch: UnsafeMutableRawPointer?
            unsafe try loop.withUnsafeLoop { raw in
                unsafe watch = chost_watch(
                    raw, pipe.readEnd.rawValue,
                    { unsafe Unmanaged<Reader>.fromOpaque($0!).takeUnretainedValue().bytes.append(1) },
                    Unmanaged.passUnretained(reader).toOpaque())
            }
            try pipe.writeEnd.writeAll([1])
            while reader.bytes.isEmpty { try loop.run(.once) }
            unsafe chost_close_watch(watch)
            try loop.run()
            try pipe.readEnd.close()
            try pipe.writeEnd.close()
        }
    }
}
