import SystemPackage
import TestSupport
import Testing
import UV

/// One turns tracing on for the whole process.
@Suite(.serialized, .soleDiagnostics) struct AliveReportTests {
    @Test func everyKindOfHandleIsNamedWithLabelPlaceAndAddress() throws {
        try withLoop { loop in
            let listener = try TCPHandle(on: loop)
            try listener.bind(to: .loopback(port: 0))
            try listener.listen { _, _ in }
            listener.label = "web"
            let address = try listener.localAddress
            let (near, far) = try TCPHandle.pair(on: loop)
            let (pipe, end) = try PipeHandle.pair(on: loop)
            let timer = try TimerHandle(on: loop)
            timer.label = "heartbeat"
            try timer.start(after: .seconds(50), every: .seconds(7)) { _ in }
            let signal = try SignalHandle(on: loop)
            try signal.start(.windowChange) { _, _ in }
            let udp = try UDPHandle(on: loop)
            try udp.bind(to: .loopback(port: 0))
            let events = try FileEventHandle(on: loop)
            try events.start("/tmp") { _, _ in }
            let looks = try FilePollHandle(on: loop)
            try looks.start("/tmp", every: .seconds(9)) { _, _ in }
            let idle = try IdleHandle(on: loop)
            let prepare = try PrepareHandle(on: loop)
            let check = try CheckHandle(on: loop)
            let wakeup = try WakeupHandle(on: loop) { _ in }
            let poll = try PollHandle(on: loop, watching: udp.fileDescriptor)
            let text = loop.explainAlive().description
            for part in [
                "TCP listener \"web\" on \(address) (made at UVTests/AliveReportTests.swift:",
                "timer \"heartbeat\", due in ", ", every 7.0 s (made at UVTests/AliveReportTests.swift:",
                "signal watch for SIGWINCH", "UDP socket on 127.0.0.1:", "watch of a file /tmp",
                "regular look at a file /tmp",
                "idle handle, not active", "prepare handle, not active", "check handle, not active", "wakeup handle",
                "watch of a descriptor ", "local connection", "TCP socket",
            ] { #expect(text.contains(part), "\(part) in \(text)") }
            for handle in loop.handles { handle.close() }
            #expect(loop.explainAlive().description.contains("are closing:"))
            withExtendedLifetime((near, far, pipe, end, idle, prepare, check, wakeup, poll)) {}
        }
    }

    @Test func alsoTerminalsEndsOfPipesAndLocalListeners() throws {
        let pseudo = try PseudoTerminal()
        try inSocketFolder { folder in
            try withLoop { loop in
                let path = folder.appending("socket")
                let listener = try PipeHandle(on: loop)
                try listener.bind(to: LocalAddress(path: path))
                try listener.listen { _, _ in }
                let terminal = try TTYHandle(on: loop, pseudo.program)
                try terminal.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
                let (readEnd, writeEnd) = try FileDescriptor.pipe()
                let pipe = try PipeHandle(on: loop)
                try pipe.open(readEnd)
                try pipe.startReading(onBytes: { _, _ in }, onEnd: { _, _ in })
                let report = loop.explainAlive()
                let kinds = report.entries.map { "\($0.kind) \($0.standing)" }
                #expect(
                    kinds == ["local listener keepsLoopAlive", "terminal keepsLoopAlive", "pipe keepsLoopAlive"],
                    "\(report)")
                for part in [
                    "local listener on \(path) (made at UVTests/AliveReportTests.swift:", "terminal, reading (made at",
                    "pipe, reading (made at",
                ] { #expect(report.description.contains(part), "\(part) in \(report)") }
                for handle in [listener, terminal, pipe] as [StreamHandle] { handle.close() }
                try loop.run()
                try writeEnd.close()
            }
        }
    }

    @Test func whatKeepsTheLoopAliveStandsApartFromTheRest() throws {
        try withLoop { loop in
            #expect(loop.explainAlive().description == "nothing keeps this loop alive")
            let timer = try TimerHandle(on: loop)
            try timer.start(after: .seconds(50)) { _ in }
            let background = try TimerHandle(on: loop)
            try background.start(after: .seconds(50)) { _ in }
            background.keepsLoopAlive = false
            let closing = try TimerHandle(on: loop)
            closing.close()
            let report = loop.explainAlive()
            #expect(report.keepingAlive.count == 1)
            #expect(report.entries.map(\.standing) == [.keepsLoopAlive, .isIdle, .isClosing])
            #expect(report.entries.allSatisfy { $0.place?.hasPrefix("UVTests/AliveReportTests.swift:") == true })
            #expect(report.entries.allSatisfy { $0.age != nil })
            let lines = report.description.split(separator: "\n")
            #expect(lines[0] == "1 thing keeps this loop alive:")
            #expect(lines.contains("1 is open without keeping it alive:") && lines.contains("1 is closing:"))
            #expect(report.description.contains("keepsLoopAlive is false"))
            timer.close()
            background.close()
        }
    }

    @Test func requestsAreNamedWithTheirSubject() throws {
        try withLoop { loop in
            let descriptor = try FileDescriptor.open(FilePath("/dev/zero"), .readOnly)
            var left = 4
            let done = {
                left -= 1; if left == 0 { try? descriptor.close() }
            }
            try FileRequest.read(from: descriptor, upTo: 5, at: nil, on: loop) { _, _ in done() }
            try FileRequest.start(.status(of: "/etc/passwd"), on: loop) { _, _ in done() }
            try WorkRequest.run(on: loop, { 1 }) { _, _ in done() }
            try AddressRequest.addresses(of: "localhost", port: 1, on: loop) { _, _ in done() }
            let report = loop.explainAlive()
            #expect(report.keepingAlive.count == 4)
            let text = report.description
            for part in [
                "read of descriptor \(descriptor.rawValue), in the thread pool",
                "status of /etc/passwd, in the thread pool",
                "work, in the thread pool", "look-up of localhost",
            ] {
                #expect(text.contains(part), "\(part) in \(text)")
            }
            try loop.run()
            #expect(loop.explainAlive().entries.isEmpty)
        }
    }

    @Test func bytesThatWaitToBeWrittenAreCounted() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            _ = try near.write([UInt8](repeating: 1, count: 8 << 20))
            let report = loop.explainAlive()
            let entry = try #require(report.entries.first)
            #expect(entry.pendingBytes > 0 && entry.standing == .keepsLoopAlive)
            #expect(report.description.contains("\(entry.pendingBytes) bytes wait to be written"))
            near.close()
            far.close()
        }
    }

    @Test func thousandsThatAreAlikeAreToldOnce() throws {
        try withLoop { loop in
            let timers = try (0..<2_000).map { _ in try TimerHandle(on: loop) }
            let text = loop.explainAlive().description
            #expect(
                text.contains("2000 are open without keeping it alive:") && text.contains("… and 1997 more like it"))
            #expect(text.split(separator: "\n").count < 10)
            for timer in timers { timer.close() }
        }
    }

    @Test func tracingRemembersTheFunctionsThatMadeAHandle() throws {
        let before = Diagnostics.isTracing
        defer { Diagnostics.isTracing = before }
        Diagnostics.isTracing = true
        try withLoop { loop in
            let timer = try makeTheTimer(on: loop)
            let entry = try #require(loop.explainAlive().entries.first)
            #expect(
                entry.madeBy.place?.hasPrefix("makeTheTimer(on:) at AliveReportTests.swift:") == true,
                "\(entry.madeBy.allLines)")
            timer.close()
        }
    }

    @Test func theLoopsErrorHasTheReport() throws {
        try withLoop { loop in
            var isDone = false
            try WorkRequest.run(on: loop, { 1 }) { _, _ in isDone = true }
            let timer = try TimerHandle(on: loop)
            let error = try #require(throws: UVError.self) { try loop.close() }
            #expect(
                error.subject?.hasPrefix(
                    "a loop with 1 open handle and 1 request under way: timer, not active (made at UVTests/") == true,
                "\(error)")
            timer.close()
            try loop.run()
            #expect(isDone)
        }
    }
}

@inline(never)
private func makeTheTimer(on loop: Loop) throws -> TimerHandle { try TimerHandle(on: loop) }
