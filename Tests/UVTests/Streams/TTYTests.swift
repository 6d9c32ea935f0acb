import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct TTYTests {
    @Test("The descriptor stays as it is: open, blocking, inherited as before; the handle has the terminal anew")
    func opensAnew() throws {
        let terminal = try PseudoTerminal()
        let flags = fcntl(terminal.program.rawValue, F_GETFL)
        _ = fcntl(terminal.program.rawValue, F_SETFD, 0)
        try withLoop { loop in
            let handle = try TTYHandle(on: loop, terminal.program)
            #expect(handle.kind == .terminal)
            #expect(try handle.fileDescriptor != terminal.program)
            #expect(fcntl(terminal.program.rawValue, F_GETFL) == flags && flags & O_NONBLOCK == 0)
            #expect(fcntl(terminal.program.rawValue, F_GETFD) == 0)
            handle.close()
        }
        #expect(fcntl(terminal.program.rawValue, F_GETFL) == flags)
    }

    @Test("A terminal that cannot be opened anew, such as a pseudo-terminal's other end, is blocking again afterwards")
    func shared() throws {
        let terminal = try PseudoTerminal()
        let flags = fcntl(terminal.person.rawValue, F_GETFL)
        var typed: [UInt8] = []
        try withLoop { loop in
            let person = try TTYHandle(on: loop, terminal.person)
            let program = try TTYHandle(on: loop, terminal.program)
            try program.startReading { program, bytes in
                typed.append(copying: bytes)
                program.close()
                person.close()
            } onEnd: { _, _ in
            }
            try person.write("typed\n")
        }
        #expect(typed == Array("typed\n".utf8))
        #expect(fcntl(terminal.person.rawValue, F_GETFL) == flags)
    }

    @Test func whatIsNoTerminal() throws {
        try withLoop { loop in
            let file = try FileDescriptor.open(FilePath("/etc/passwd"), .readOnly)
            expectError(.notTerminal) { try TTYHandle(on: loop, file) }
            try file.close()
            expectError(.notTerminal) { try TTYHandle(on: loop, file) }
            let (reading, writing) = try plainPipe()
            expectError(.notTerminal) { try TTYHandle(on: loop, reading) }
            try reading.close()
            try writing.close()
        }
    }

    @Test func readsAndWrites() throws {
        let terminal = try PseudoTerminal()
        var typed: [UInt8] = []
        try withLoop { loop in
            let handle = try TTYHandle(on: loop, terminal.program)
            try handle.startReading { handle, bytes in
                typed.append(copying: bytes)
                handle.close()
            } onEnd: { _, _ in
            }
            try terminal.type("line\n")
            #expect(try handle.write("printed\n") == .sent)
        }
        #expect(typed == Array("line\n".utf8))
        var printed = ""
        // What was typed is shown, too, sooner or later.
        while !printed.contains("printed") { printed += try terminal.readPrinted() }
    }

    @Test func modes() throws {
        let terminal = try PseudoTerminal()
        let normal = terminal.settings
        var typed: [[UInt8]] = []
        try withLoop { loop in
            let handle = try TTYHandle(on: loop, terminal.program)
            try handle.setMode(.normal)
            #expect(!terminal.isRaw && handle.mode == .normal)
            try handle.setMode(.raw)
            #expect(terminal.isRaw && handle.mode == .raw)
            let raw = terminal.settings
            try handle.setMode(.binary)
            #expect(terminal.isRaw && terminal.settings != raw)
            try handle.setMode(.raw)
            #expect(terminal.settings == raw)
            try handle.startReading { handle, bytes in
                typed.append([UInt8](copying: bytes))
                if typed.count == 2 { handle.close() } else { try! terminal.type("\u{3}") }
            } onEnd: { _, _ in
            }
            try terminal.type("a")
        }
        // Neither waits for a line nor ends the process.
        #expect(typed == [[97], [3]])
        #expect(terminal.settings == normal)
    }

    @Test("The settings come back with the close")
    func settingsComeBack() throws {
        let terminal = try PseudoTerminal()
        let normal = terminal.settings
        for _ in 0..<20 {
            try withLoop { loop in
                let handle = try TTYHandle(on: loop, terminal.program)
                try handle.setMode(.binary)
                #expect(terminal.isRaw)
                handle.close()
                #expect(terminal.settings == normal)
                expectError(.badFileDescriptor) { try handle.setMode(.raw) }
                expectError(.badFileDescriptor) { try handle.size }
            }
        }
    }

    @Test("They come back with resetModes, for all terminals of the process; a closed handle's number is left alone")
    func resetModes() async throws {
        await #expect(processExitsWith: .success) {
            try synchronously {
                let terminal = try PseudoTerminal()
                let normal = terminal.settings
                let loop = try Loop()
                for _ in 0..<3 {
                    let handle = try TTYHandle(on: loop, terminal.program)
                    try handle.setMode(.raw)
                    guard terminal.isRaw else { fatalError("not raw") }
                    TTYHandle.resetModes()
                    guard terminal.settings == normal else { fatalError("not reset") }
                    handle.close()
                    try loop.run()
                    TTYHandle.resetModes()
                    guard terminal.settings == normal else { fatalError("changed after the close") }
                }
                try loop.close()
            }
        }
    }

    @Test func size() throws {
        let terminal = try PseudoTerminal()
        try withLoop { loop in
            let handle = try TTYHandle(on: loop, terminal.program)
            terminal.resize(columns: 132, rows: 50)
            #expect(try handle.size == TerminalSize(columns: 132, rows: 50))
            handle.close()
        }
    }

    @Test("The settings come back when the program exits, traps, or is ended by a signal")
    func programEnds() throws {
        for (end, status) in [
            ("exit", ExitStatus.exited(0)), ("trap", .signaled(Signal(SIGILL))), ("wait", .signaled(.terminate)),
        ] {
            let terminal = try PseudoTerminal()
            let normal = terminal.settings
            var result: ExitStatus?
            var wasRaw = false
            try withLoop { loop in
                let handle = try probe(end, in: terminal, on: loop) { result = $0 }
                try handle.output?.startReading { _, _ in
                    wasRaw = terminal.isRaw
                    if end == "wait" { try! handle.kill() } else { try! handle.input?.write("\n") }
                } onEnd: { output, _ in
                    output.close()
                }
            }
            #expect(wasRaw && result == status, "\(end)")
            #expect(terminal.settings == normal, "\(end)")
        }
    }

    @Test("While the program is stopped the settings are as before; when it goes on it has its mode again")
    func programStops() throws {
        let terminal = try PseudoTerminal()
        let normal = terminal.settings
        var steps = 0
        try withLoop { loop in
            let handle = try probe("wait", in: terminal, on: loop) { #expect($0 == .signaled(.kill)) }
            try handle.output?.startReading { _, _ in
                steps += 1
                #expect(terminal.isRaw)
                var status: CInt = 0
                for stop in [Signal.terminalStop, .stop] {
                    try! handle.kill(stop)
                    _ = unsafe waitpid(handle.id, &status, WUNTRACED)
                    if stop == .terminalStop {
                        #expect(terminal.settings == normal)
                    } else {
                        // Nobody can do anything about SIGSTOP; the shell gives the terminal its own settings.
                        var settings = termios()
                        _ = unsafe tcgetattr(terminal.program.rawValue, &settings)
                        settings.c_lflag |= tcflag_t(ICANON)
                        _ = unsafe tcsetattr(terminal.program.rawValue, TCSANOW, &settings)
                    }
                    #expect(!terminal.isRaw)
                    try! handle.kill(.continue)
                    let deadline = Loop.hrtime + .seconds(60)
                    while !terminal.isRaw, Loop.hrtime < deadline { usleep(1_000) }
                    #expect(terminal.isRaw)
                    steps += 1
                }
                try! handle.kill(.kill)
            } onEnd: { output, _ in
                output.close()
            }
        }
        #expect(steps == 3)
    }

    /// Starts a program that makes a terminal raw and then says so.
    private func probe(
        _ end: String, in terminal: PseudoTerminal, on loop: Loop, _ onExit: @escaping (ExitStatus) -> Void
    ) throws -> ProcessHandle {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "process-probe").path
        let environment = ProcessOptions.Environment.extended(["SWIFT_BACKTRACE": "enable=no"])
        return try ProcessHandle(
            on: loop, program, ["terminal", end], options: ProcessOptions(environment: environment), input: .pipe,
            output: .pipe, error: .null, further: [terminal.program]
        ) { handle, status in
            handle.close()
            handle.input?.close()
            onExit(status)
        }
    }
}
