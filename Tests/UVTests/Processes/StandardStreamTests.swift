import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct StandardStreamTests {
    @Test func theNullDeviceIsEmpty() throws {
        let child = try Child.shell("cat; readlink /proc/$$/fd/0")
        #expect(child.text == "/dev/null\n" && child.status == .exited(0))
        let silent = Child()
        try withLoop { loop in
            try silent.start(on: loop, "sh", ["-c", "echo lost; echo lost >&2"], output: .null, error: .null)
        }
        #expect(silent.status == .exited(0) && silent.output.isEmpty)
    }

    @Test("Pipes are pipes, so that a child can open them again")
    func pipesCanBeOpenedAgain() throws {
        let child = Child()
        try withLoop { loop in
            let handle = try child.start(
                on: loop, "sh", ["-c", "cat /dev/stdin > /dev/stdout; echo error > /dev/stderr"], input: .pipe)
            try handle.input?.write("in\n")
            handle.input?.closeAfterWrites()
        }
        #expect(child.text == "in\n" && child.errors == Array("error\n".utf8))
    }

    @Test("Eight mebibytes in and out of one child, without a deadlock")
    func bothWays() throws {
        let child = Child()
        let bytes = (0..<8 << 20).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try withLoop { loop in
            let handle = try child.start(on: loop, "cat", input: .pipe)
            try handle.input?.write(bytes)
            handle.input?.closeAfterWrites()
        }
        #expect(child.output == bytes && child.status == .exited(0))
    }

    @Test func aChildThatDoesNotReadIsABrokenPipe() throws {
        var result: UVError?
        try withLoop { loop in
            let handle = try ProcessHandle(on: loop, "true", input: .pipe, output: .null) { handle, _ in handle.close()
            }
            do {
                _ = try handle.input?.write([UInt8](repeating: 1, count: 4 << 20)) { stream, error in
                    result = error
                    stream.close()
                }
            } catch {
                // It has ended already.
                result = error as? UVError
                handle.input?.close()
            }
        }
        #expect(result?.code == .brokenPipe)
    }

    @Test func files() throws {
        let path = FilePath("/tmp/swift-uv-streams-\(getpid())-\(UInt32.random(in: 0 ... .max))")
        defer { unsafe unlink(path.string) }
        let file = try FileDescriptor.open(
            path, .readWrite, options: [.create, .truncate], permissions: .ownerReadWrite)
        try withLoop { loop in
            // The same for output and errors: a program's `2>&1`.
            _ = try ProcessHandle(
                on: loop, "sh", ["-c", "echo one; echo two >&2; echo three"], output: .file(file), error: .file(file)
            ) { handle, _ in handle.close() }
        }
        try file.seek(offset: 0, from: .start)
        let child = try Child.shell("cat", input: .file(file))
        #expect(child.lines == ["one", "two", "three"])
        try file.close()
    }

    @Test("A stream is the child's: closed here, blocking there, once for input and output")
    func streams() throws {
        var answer: [UInt8] = []
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            _ = try ProcessHandle(
                on: loop, "sh", ["-c", "read a; echo $a$a"], input: .stream(far), output: .stream(far)
            ) { handle, status in
                #expect(status == .exited(0))
                handle.close()
            }
            #expect(far.isClosing)
            try near.startReading {
                answer.append(copying: $1)
            } onEnd: { stream, error in
                #expect(error == nil)
                stream.close()
            }
            try near.write("ab\n")
        }
        #expect(answer == Array("abab\n".utf8))
    }

    @Test func aStreamStaysWhenTheStartFails() throws {
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            expectError(.noSuchFileOrDirectory) {
                try ProcessHandle(on: loop, "no-such-program", input: .stream(far)) { _, _ in }
            }
            #expect(!far.isClosing)
            far.close()
            expectError(.badFileDescriptor) { try ProcessHandle(on: loop, "true", input: .stream(far)) { _, _ in } }
            near.close()
        }
    }

    @Test("I2: this process's own, also when they are files or closed")
    func inherited() async throws {
        await #expect(processExitsWith: .success) {
            let path = "/tmp/swift-uv-inherited-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            try Data("from a file\n".utf8).write(to: URL(filePath: path))
            defer { unsafe unlink(path) }
            let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
            dup2(file, 0)
            close(1)
            close(2)
            try synchronously {
                // The first loop fills closed numbers.
                let loop = try Loop()
                let child = Child()
                try child.start(on: loop, "cat", input: .inherit)
                let silent = Child()
                try silent.start(on: loop, "sh", ["-c", "echo 1; echo 2 >&2"], output: .inherit, error: .inherit)
                try loop.run()
                try loop.close()
                guard child.text == "from a file\n", child.status == .exited(0), silent.status == .exited(0) else {
                    fatalError(child.text)
                }
            }
        }
    }

    @Test func whatADescriptorIsFor() throws {
        let (reading, writing) = try plainPipe()
        #expect(Handle.Kind(guessedFor: reading) == .pipe)
        let file = try FileDescriptor.open(FilePath("/etc/passwd"), .readOnly)
        #expect(Handle.Kind(guessedFor: file) == .file)
        let folder = try FileDescriptor.open(FilePath("/tmp"), .readOnly)
        #expect(Handle.Kind(guessedFor: folder) == .unknown)
        #expect(Handle.Kind(guessedFor: FileDescriptor(rawValue: -1)) == .unknown)
        try withLoop { loop in
            let (near, far) = try TCPHandle.pair(on: loop)
            #expect(Handle.Kind(guessedFor: try near.fileDescriptor) == .pipe)
            near.close()
            far.close()
            // libuv would abort at the first read.
            let pipe = try PipeHandle(on: loop)
            expectError(.notPermitted) { try pipe.open(file) }
            pipe.close()
        }
        for descriptor in [reading, writing, file, folder] { try descriptor.close() }
    }
}
