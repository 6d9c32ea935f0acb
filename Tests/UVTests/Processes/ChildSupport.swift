import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// Not that of the testing library.
typealias ExitStatus = UV.ExitStatus

/// What a child of a test has printed, and how it has ended. Valid when its loop has run dry.
final class Child {
    var status: ExitStatus?
    var output: [UInt8] = []
    var errors: [UInt8] = []
    var exits = 0

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Starts a program whose output and errors are gathered; the handle and the pipes close when they have ended.
    @discardableResult
    func start(
        on loop: Loop, _ program: String, _ arguments: [String] = [], options: ProcessOptions = ProcessOptions(),
        input: StandardStream = .null, output: StandardStream = .pipe, error: StandardStream = .pipe,
        further: [FileDescriptor] = []
    ) throws -> ProcessHandle {
        let handle = try ProcessHandle(
            on: loop, program, arguments, options: options, input: input, output: output, error: error,
            further: further
        ) { handle, status in
            self.exits += 1
            self.status = status
            handle.close()
        }
        try handle.output?.startReading {
            self.output.append(copying: $1)
        } onEnd: { stream, _ in
            stream.close()
        }
        try handle.error?.startReading {
            self.errors.append(copying: $1)
        } onEnd: { stream, _ in
            stream.close()
        }
        return handle
    }

    /// Runs a shell's command to its end on a loop of its own.
    static func shell(
        _ command: String, options: ProcessOptions = ProcessOptions(), input: StandardStream = .null,
        further: [FileDescriptor] = []
    ) throws -> Child {
        let child = Child()
        try withLoop { loop in
            try child.start(on: loop, "sh", ["-c", command], options: options, input: input, further: further)
        }
        #expect(child.exits == 1)
        return child
    }
}

/// Both ends of a pipe, not inherited by anybody.
func plainPipe() throws -> (reading: FileDescriptor, writing: FileDescriptor) {
    var ends: [CInt] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
}

/// Whether the system knows the number: a process that nobody has waited for counts.
func isKnown(_ process: Int32) -> Bool { kill(process, 0) == 0 }

/// Waits until a child has ended, and leaves its status to others.
func waitForEnd(of process: Int32) {
    var info = unsafe siginfo_t()
    _ = unsafe waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT)
}
