import CPlatform
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct SpawnTests {
    @Test func exitStatusAndSignal() throws {
        #expect(try Child.shell("exit 0").status == .exited(0))
        #expect(try Child.shell("exit 7").status == .exited(7))
        #expect(try Child.shell("kill -9 $$").status == .signaled(.kill))
        #expect(try Child.shell("kill -USR1 $$").status == .signaled(.user1))
        #expect(ExitStatus.exited(0).isSuccess && !ExitStatus.exited(1).isSuccess)
        #expect("\(ExitStatus.exited(3)), \(ExitStatus.signaled(.kill))" == "exit status 3, SIGKILL")
    }

    @Test func argumentsArriveAsTheyAre() throws {
        let child = Child()
        let arguments = ["%s|", "a b", "", "\"ü\"", "$HOME", "-n\n"]
        try withLoop { loop in try child.start(on: loop, "printf", arguments) }
        #expect(child.text == "a b||\"ü\"|$HOME|-n\n|")
    }

    @Test("P1: a missing program, one that is none, a missing directory, a NUL: a thousand times, nothing stays")
    func failures() async throws {
        await #expect(processExitsWith: .success) {
            let file = FilePath("/tmp/swift-uv-no-program-\(getpid())-\(UInt32.random(in: 0 ... .max))")
            try Data().write(to: URL(filePath: file.string))
            defer { unsafe unlink(file.string) }
            try synchronously {
                let loop = try Loop()
                func fail(
                    _ code: UVError.Code, _ subject: String, _ program: String, _ arguments: [String] = [],
                    _ options: ProcessOptions = ProcessOptions()
                ) throws {
                    do {
                        _ = try ProcessHandle(
                            on: loop, program, arguments, options: options, input: .pipe, output: .pipe, error: .pipe
                        ) { _, _ in fatalError("an exit of \(program)") }
                        fatalError("\(program) has started")
                    } catch {
                        guard error.code == code, error.operation == "spawn",
                            subject.isEmpty || error.subject?.contains(subject) == true
                        else { fatalError("\(error)") }
                    }
                    try loop.run()
                }
                func failAll() throws {
                    try fail(.noSuchFileOrDirectory, "no-such-program", "no-such-program")
                    try fail(.noSuchFileOrDirectory, "/no/such/program", "/no/such/program")
                    try fail(.permissionDenied, file.string, file.string)
                    try fail(.noSuchFileOrDirectory, "", "")
                    try fail(
                        .noSuchFileOrDirectory, "/no/such/directory", "true", [],
                        ProcessOptions(directory: "/no/such/directory"))
                    try fail(.notDirectory, "/etc/passwd", "true", [], ProcessOptions(directory: "/etc/passwd"))
                    try fail(.invalidArgument, "argument 2", "echo", ["a", "b\0c"])
                    try fail(.invalidArgument, "its name", "ec\0ho")
                    try fail(.invalidArgument, "A=B", "true", [], ProcessOptions(environment: .exactly(["A=B": ""])))
                    try fail(.argListTooLong, "true", "true", [String(repeating: "a", count: 1 << 18)])
                }
                try failAll()
                let before = countDescriptors()
                for _ in 0..<100 { try failAll() }
                guard countDescriptors() == before, loop.handles.isEmpty else { fatalError("something stays") }
                try loop.close()
                // No child is left to be waited for.
                var status: CInt = 0
                guard unsafe waitpid(-1, &status, WNOHANG) == -1, errno == ECHILD else { fatalError("a child") }
            }
        }
    }

    @Test("A script whose interpreter is missing is told from a missing script")
    func missingInterpreter() throws {
        let script = try makeScript("#!/no/such/interpreter")
        defer { unsafe unlink(script) }
        try withLoop { loop in
            do {
                _ = try ProcessHandle(on: loop, script) { _, _ in }
                Issue.record("it has started")
            } catch let error as UVError {
                #expect(error.code == .noSuchFileOrDirectory && error.subject == "the interpreter of \(script)")
            }
        }
    }

    /// A child writes it: the system runs no file that anybody has open for writing, and children that other tests are starting at the
    /// moment would have it from us.
    private func makeScript(_ text: String) throws -> String {
        let path = "/tmp/swift-uv-script-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let environment = ProcessOptions.Environment.extended(["SCRIPT": path, "TEXT": text])
        let options = ProcessOptions(environment: environment)
        _ = try Child.shell("printf '%s\\n' \"$TEXT\" > \"$SCRIPT\"; chmod 755 \"$SCRIPT\"", options: options)
        return path
    }

    @Test("P2: a hundred children, a mebibyte of each, each with its own end")
    func aHundredChildren() throws {
        let children = (0..<100).map { _ in Child() }
        try withLoop { loop in
            for (number, child) in children.enumerated() {
                let end = number % 2 == 0 ? "exit \(number)" : "kill -\([1, 2, 9, 15][number % 4]) $$"
                try child.start(
                    on: loop, "sh", ["-c", "head -c 1048576 /dev/zero | tr '\\0' '\(number % 10)'; \(end)"])
            }
        }
        for (number, child) in children.enumerated() {
            let signal = Signal(CInt([1, 2, 9, 15][number % 4]))
            #expect(child.status == (number % 2 == 0 ? .exited(Int32(number)) : .signaled(signal)))
            #expect(child.exits == 1)
            #expect(child.output == Array(repeating: UInt8(ascii: "0") + UInt8(number % 10), count: 1 << 20))
        }
    }

    @Test func fiveHundredAtOnce() throws {
        var statuses: [ExitStatus] = []
        try withLoop { loop in
            for _ in 0..<500 {
                _ = try ProcessHandle(on: loop, "true", output: .null) { handle, status in
                    statuses.append(status)
                    handle.close()
                }
            }
        }
        #expect(statuses == Array(repeating: .exited(0), count: 500))
    }

    @Test("Beside Foundation's Process: both get their own children's statuses")
    func besideFoundation() async throws {
        // In a process of its own, because Foundation keeps sockets open, which other tests would take for leaks.
        await #expect(processExitsWith: .success) {
            try synchronously {
                var ours: [Int: ExitStatus] = [:]
                var theirs: [Process] = []
                let loop = try Loop()
                for number in 0..<20 {
                    _ = try ProcessHandle(on: loop, "sh", ["-c", "exit \(number)"]) { handle, status in
                        ours[number] = status
                        handle.close()
                    }
                    let process = Process()
                    process.executableURL = URL(filePath: "/bin/sh")
                    process.arguments = ["-c", "exit \(100 + number)"]
                    try process.run()
                    theirs.append(process)
                }
                try loop.run()
                try loop.close()
                for (number, process) in theirs.enumerated() {
                    process.waitUntilExit()
                    guard process.terminationStatus == CInt(100 + number), ours[number] == .exited(Int32(number)) else {
                        fatalError("\(number): \(process.terminationStatus), \(ours[number] as Any)")
                    }
                }
                // Foundation's own threads may still hold memory, which the check for leaks at the exit would find.
                if isSanitized { _exit(EXIT_SUCCESS) }
            }
        }
    }

    // MARK: Surroundings

    @Test func environment() throws {
        let extended = try Child.shell(
            "echo $SWIFT_UV_A; echo ${HOME-none}; echo ${PATH:+path}",
            options: ProcessOptions(environment: .extended(["SWIFT_UV_A": "x=y", "HOME": nil])))
        #expect(extended.lines == ["x=y", "none", "path"])
        let child = Child()
        try withLoop { loop in
            try child.start(
                on: loop, "/usr/bin/env", options: ProcessOptions(environment: .exactly(["ONLY": "ü", "EMPTY": ""])))
        }
        #expect(child.lines.sorted() == ["EMPTY=", "ONLY=ü"])
        // The program is looked for in the child's PATH.
        try withLoop { loop in
            expectError(.noSuchFileOrDirectory) {
                try child.start(
                    on: loop, "env", options: ProcessOptions(environment: .exactly(["PATH": "/no/such/directory"])))
            }
        }
    }

    @Test("A script without a first line is the shell's, as for execvp")
    func scriptWithoutFirstLine() throws {
        let script = try makeScript("echo $0 $1")
        defer { unsafe unlink(script) }
        let child = Child()
        try withLoop { loop in try child.start(on: loop, script, ["a b"]) }
        #expect(child.text == "\(script) a b\n")
    }

    @Test func directory() throws {
        #expect(try Child.shell("pwd -P", options: ProcessOptions(directory: "/usr/bin")).text == "/usr/bin\n")
    }

    @Test(.enabled(if: getuid() == 0)) func userAndGroup() throws {
        let options = ProcessOptions(directory: "/", user: 65_534, group: 65_533)
        let child = try Child.shell("id -u; id -g; id -G", options: options)
        #expect(child.lines == ["65534", "65533", "65533"])
    }

    @Test(.enabled(if: getuid() == 0)) func anotherUserIsNotPermitted() async throws {
        await #expect(processExitsWith: .success) {
            try synchronously {
                guard setuid(65_534) == 0 else { fatalError("setuid") }
                let loop = try Loop()
                do {
                    _ = try ProcessHandle(on: loop, "true", options: ProcessOptions(directory: "/", user: 0)) { _, _ in
                    }
                    fatalError("it has started")
                } catch let error as UVError {
                    guard error.code == .notPermitted, error.subject == "true as user 0" else { fatalError("\(error)") }
                }
                try loop.run()
                try loop.close()
            }
        }
    }

    @Test("A detached child has a session and a group of its own, and outlives its handle and its loop")
    func detached() throws {
        let (reading, writing) = try plainPipe()
        defer { try? reading.close() }
        var id: Int32 = 0
        try withLoop { loop in
            let handle = try ProcessHandle(
                on: loop, "sh", ["-c", "cut -d' ' -f5,6 /proc/$$/stat; cat"],
                options: ProcessOptions(isDetached: true), input: .pipe, output: .file(writing)
            ) { _, _ in Issue.record("an end that nobody waits for") }
            id = handle.id
            // Closed while the child runs.
            handle.close()
            try handle.input?.write("later\n")
            handle.input?.closeAfterWrites()
        }
        try writing.close()
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 100)
        while case let count = try unsafe chunk.withUnsafeMutableBytes({ try unsafe reading.read(into: $0) }), count > 0
        {
            bytes += chunk[..<count]
        }
        #expect(String(decoding: bytes, as: UTF8.self) == "\(id) \(id)\nlater\n")
        // It is waited for when the next child starts.
        waitForEnd(of: id)
        _ = try Child.shell("exit 0")
        #expect(!isKnown(id))
    }

    // MARK: What is inherited

    @Test("The child has no descriptor that it was not given, and this process's keep their flags")
    func descriptors() throws {
        let leaky = unsafe open("/etc/passwd", O_RDONLY)
        defer { close(leaky) }
        #expect(fcntl(leaky, F_GETFD) == 0)
        #expect(try Child.shell("ls /proc/$$/fd").lines == ["0", "1", "2"])
        #expect(fcntl(leaky, F_GETFD) == 0)
        // In a crowd, while other threads open descriptors.
        let opener = Thread {
            for _ in 0..<2_000 { unsafe close(open("/etc/passwd", O_RDONLY)) }
        }
        opener.start()
        for _ in 0..<10 { #expect(try Child.shell("ls /proc/$$/fd").lines == ["0", "1", "2"]) }
    }

    @Test func furtherDescriptors() throws {
        let pipes = try (0..<5).map { _ in try plainPipe() }
        for (number, pipe) in pipes.enumerated() {
            try pipe.writing.writeAll("\(number)\n".utf8)
            try pipe.writing.close()
        }
        let further = pipes.map(\.reading)
        let child = try Child.shell("cat <&7 <&3; cat <&3; cat <&4; cat <&5; cat <&6; cat <&7", further: further)
        #expect(child.lines == ["0", "1", "2", "3", "4"])
        for pipe in pipes { try pipe.reading.close() }
        try withLoop { loop in
            let six = [FileDescriptor](repeating: .standardError, count: 6)
            expectError(.invalidArgument) { try ProcessHandle(on: loop, "true", further: six) { _, _ in } }
            expectError(.badFileDescriptor) {
                try ProcessHandle(on: loop, "true", further: [FileDescriptor(rawValue: 9_999)]) { _, _ in }
            }
            // The pipe by which libuv learns of a failure keeps out of their way.
            expectError(.noSuchFileOrDirectory) {
                try ProcessHandle(on: loop, "no-such-program", further: Array(six[..<5])) { _, _ in }
            }
        }
    }

    @Test("No number that the child is to have is free while libuv makes its own pipe")
    func lowNumbersAreTaken() {
        var made: CInt = 0
        unsafe withUnsafeMutablePointer(to: &made) { made in
            unsafe cplatform_call_with_private_descriptors(
                200,
                { context in
                    let number = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
                    unsafe context?.assumingMemoryBound(to: CInt.self).pointee = number
                    close(number)
                }, made)
        }
        #expect(made >= 200)
    }

    @Test("The child has every signal's default action and an empty mask")
    func signals() throws {
        // Of no interest to any other test of the process.
        let earlier = signal(SIGPWR, SIG_IGN)
        defer { _ = signal(SIGPWR, earlier) }
        var mask = sigset_t()
        var before = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe sigaddset(&mask, SIGUSR2)
        unsafe sigaddset(&mask, SIGCHLD)
        unsafe pthread_sigmask(SIG_BLOCK, &mask, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let child = Child()
        try withLoop { loop in try child.start(on: loop, "cat", ["/proc/self/status"]) }
        for name in ["SigBlk", "SigIgn", "SigCgt"] {
            let line = try #require(child.lines.first { $0.hasPrefix("\(name):\t") })
            let set = try #require(UInt64(line.dropFirst(name.count + 2), radix: 16))
            // libuv, which starts children under a sanitizer, leaves real-time signals as they are.
            #expect(isSanitized ? set & 0x7fff_ffff == 0 : set == 0, "\(line)")
        }
    }

    @Test func inheritanceCanBeSwitchedOff() async throws {
        await #expect(processExitsWith: .success) {
            ProcessHandle.disableInheritance()
            for descriptor: CInt in 0...2 where fcntl(descriptor, F_GETFD) & FD_CLOEXEC == 0 { exit(1) }
            // What a child is given it has nevertheless.
            try synchronously {
                let child = Child()
                let loop = try Loop()
                try child.start(on: loop, "sh", ["-c", "echo out; echo err >&2"], input: .inherit)
                try loop.run()
                guard child.text == "out\n", child.errors.count == 4 else { fatalError(child.text) }
                try loop.close()
            }
        }
    }
}
