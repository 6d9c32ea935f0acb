import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Children that libuv starts, as on older systems.
@Suite(.ownThread) struct ForkTests {
    private let options: ProcessOptions = {
        var options = ProcessOptions()
        options.isForked = true
        return options
    }()

    @Test func exitStatusAndSignal() throws {
        #expect(try Child.shell("exit 7", options: options).status == .exited(7))
        #expect(try Child.shell("kill -9 $$", options: options).status == .signaled(.kill))
        #expect(
            try Child.shell("echo text; pwd", options: options.with { $0.directory = "/usr" }).text == "text\n/usr\n")
    }

    @Test("P1: failures leave nothing")
    func failures() throws {
        try withLoop { loop in
            for _ in 0..<20 {
                for (program, options, code) in [
                    ("no-such-program", options, UVError.Code.noSuchFileOrDirectory),
                    ("/etc/passwd", options, .permissionDenied),
                    ("true", options.with { $0.directory = "/no/such/directory" }, .noSuchFileOrDirectory),
                    ("true", options.with { $0.environment = .exactly(["PATH": "/no/such"]) }, .noSuchFileOrDirectory),
                ] {
                    expectError(code) {
                        try ProcessHandle(on: loop, program, options: options, input: .pipe, output: .pipe) { _, _ in }
                    }
                }
            }
        }
    }

    @Test func descriptorsAndSignals() throws {
        let leaky = unsafe open("/etc/passwd", O_RDONLY)
        defer { close(leaky) }
        #expect(try Child.shell("ls /proc/$$/fd", options: options).lines == ["0", "1", "2"])
        #expect(fcntl(leaky, F_GETFD) == 0)
        let pipes = try (0..<5).map { _ in try plainPipe() }
        for (number, pipe) in pipes.enumerated() {
            try pipe.writing.writeAll("\(number)\n".utf8)
            try pipe.writing.close()
        }
        let further = pipes.map(\.reading)
        #expect(try Child.shell("cat <&7; cat <&3", options: options, further: further).lines == ["4", "0"])
        try withLoop { loop in
            expectError(.noSuchFileOrDirectory) {
                try ProcessHandle(on: loop, "no-such-program", options: options, further: further) { _, _ in }
            }
        }
        for pipe in pipes { try pipe.reading.close() }
        let child = Child()
        try withLoop { loop in try child.start(on: loop, "cat", ["/proc/self/status"], options: options) }
        let ignored = try #require(child.lines.first { $0.hasPrefix("SigIgn:\t") }?.dropFirst(8))
        // libuv leaves real-time signals as they are.
        #expect(try #require(UInt64(ignored, radix: 16)) & 0x7fff_ffff == 0)
        #expect(child.lines.contains("SigBlk:\t0000000000000000"))
    }

    @Test func killed() throws {
        let child = Child()
        try withLoop { loop in
            let handle = try child.start(
                on: loop, "cat", options: options.with { $0.isDetached = true }, input: .pipe)
            try handle.kill(Signal(0))
            try handle.killGroup(.terminate)
            handle.input?.close()
        }
        #expect(child.status == .signaled(.terminate))
        let other = Child()
        try withLoop { loop in
            let handle = try other.start(on: loop, "cat", options: options, input: .pipe)
            try handle.kill(.user1)
            handle.input?.close()
        }
        #expect(other.status == .signaled(.user1))
    }

    @Test("A status that others have taken, a signal that others have taken")
    func taken() async throws {
        let child = Child()
        try withLoop { loop in
            let handle = try child.start(on: loop, "sh", ["-c", "exit 3"], options: options)
            var status: CInt = 0
            #expect(unsafe waitpid(handle.id, &status, 0) == handle.id)
        }
        #expect(child.status == .unknown && child.exits == 1)
        await #expect(processExitsWith: .success) {
            try synchronously {
                var options = ProcessOptions()
                options.isForked = true
                let loop = try Loop()
                let child = Child()
                try child.start(on: loop, "sh", ["-c", "exit 3"], options: options)
                _ = signal(SIGCHLD, SIG_DFL)
                try loop.run()
                guard child.status == .exited(3) else { fatalError("\(child.status as Any)") }
                try loop.close()
            }
        }
    }

    @Test func closedWhileItRuns() throws {
        try withLoop { loop in
            let handle = try ProcessHandle(on: loop, "cat", options: options, input: .pipe, output: .null) { _, _ in
                Issue.record("called")
            }
            handle.close()
            handle.input?.close()
        }
    }
}

extension ProcessOptions {
    fileprivate func with(_ change: (inout Self) -> Void) -> Self {
        var options = self
        change(&options)
        return options
    }
}
