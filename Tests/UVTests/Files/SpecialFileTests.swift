import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// F3: names that stand for no ordinary file. Reading and writing by name does what `cat` and `>` do.
@Suite(.ownThread) struct SpecialFileTests {
    @Test("A FIFO whose writer comes later, and writes slowly: read to its end")
    func lateWriter() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            var read: [UInt8] = []
            try withLoop { loop in
                try FileRequest.start(.readFile(fifo), on: loop) { _, result in read = try! result.get() }
                let timer = try TimerHandle(on: loop)
                var writer: FileDescriptor?
                try timer.start(after: .milliseconds(20), every: .milliseconds(5)) { timer in
                    if let writer {
                        try! writer.writeAll([2, 3])
                        try! writer.close()
                        timer.close()
                    } else if let opened = try? FileDescriptor.open(fifo, .writeOnly, options: .nonBlocking) {
                        try! opened.writeAll([1])
                        writer = opened
                    }
                }
            }
            #expect(read == [1, 2, 3])
        }
    }

    @Test("A FIFO whose writer writes nothing is empty; one that is never opened by a writer is waited for")
    func noWriter() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            var results: [Result<[UInt8], UVError>] = []
            try withLoop { loop in
                // More than the pool has threads: none of them is held.
                let requests = try (0..<8).map { _ in
                    try FileRequest.start(.readFile(fifo), on: loop) { _, result in results.append(result) }
                }
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(20)) { timer in
                    #expect(results.isEmpty)
                    timer.close()
                    try! FileRequest.start(.status(of: fifo), on: loop) { _, result in
                        #expect(try! result.get().kind == .fifo)
                        for request in requests { #expect(throws: Never.self) { try request.cancel() } }
                    }
                }
            }
            #expect(results.map { $0.failure?.code } == Array(repeating: .canceled, count: 8))
            results = []
            try withLoop { loop in
                try FileRequest.start(.readFile(fifo), on: loop) { _, result in results.append(result) }
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .zero, every: .milliseconds(5)) { timer in
                    guard let writer = try? FileDescriptor.open(fifo, .writeOnly, options: .nonBlocking) else { return }
                    try! writer.close()
                    timer.close()
                }
            }
            #expect(results == [.success([])])
        }
    }

    @Test("K1: all handles are closed while requests wait: each closure is called once, with .canceled")
    func loopEnds() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            var results: [UVError.Code?] = []
            try withLoop { loop in
                try FileRequest.start(.readFile(fifo), on: loop) { _, result in results.append(result.failure?.code) }
                let other = folder.fifo("other")
                try FileRequest.start(.writeFile(other, [1]), on: loop) { _, result in
                    results.append(result.failure?.code)
                }
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(20)) { _ in try! loop.closeAllHandles() }
            }
            #expect(results == [.canceled, .canceled])
        }
    }

    @Test("A FIFO takes 200,000 bytes from a writer that comes first, as its reader takes them")
    func lateReader() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            let bytes = pattern(count: 200_000)
            var read: [UInt8] = []
            var isWritten = false
            try withLoop { loop in
                try FileRequest.start(.writeFile(fifo, bytes), on: loop) { _, result in
                    #expect(throws: Never.self) { try result.get() }
                    isWritten = true
                }
                let timer = try TimerHandle(on: loop)
                var reader: FileDescriptor?
                try timer.start(after: .milliseconds(20), every: .milliseconds(1)) { timer in
                    if reader == nil { reader = try! FileDescriptor.open(fifo, .readOnly, options: .nonBlocking) }
                    guard let more = try? reader!.read(upTo: 20_000) else { return }
                    read += more
                    if more.isEmpty, isWritten {
                        try! reader!.close()
                        timer.close()
                    }
                }
            }
            #expect(isWritten && areEqual(read, bytes))
        }
    }

    @Test("A reader that goes away: broken pipe, and how many bytes it may have taken")
    func reader() throws {
        try withFolder { folder in
            let fifo = folder.fifo("fifo")
            let reader = try FileDescriptor.open(fifo, .readOnly, options: .nonBlocking)
            var error: UVError?
            try withLoop { loop in
                try FileRequest.start(.writeFile(fifo, pattern(count: 200_000)), on: loop) { _, result in
                    error = result.failure
                }
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(20)) { timer in
                    try! reader.close()
                    timer.close()
                }
            }
            #expect(error?.code == .brokenPipe && error?.subject?.hasPrefix("\(fifo) after ") == true)
        }
    }

    @Test("Bytes for a pipe that has no room wait for it, at its own descriptor too; a read waits for bytes")
    func openPipe() throws {
        let pipe = try FileDescriptor.pipe()
        for end in [pipe.readEnd, pipe.writeEnd] { _ = fcntl(end.rawValue, F_SETFL, O_NONBLOCK) }
        let bytes = pattern(count: 200_000)
        var read: [UInt8] = []
        try withLoop { loop in
            func goOn() throws {
                try FileRequest.read(from: pipe.readEnd, upTo: 30_000, at: nil, on: loop) { _, result in
                    read += try! result.get()
                    if read.count < bytes.count { try! goOn() }
                }
            }
            try goOn()
            try FileRequest.start(.writeAll(bytes, to: pipe.writeEnd, at: nil), on: loop) { _, result in
                #expect(throws: Never.self) { try result.get() }
            }
        }
        #expect(areEqual(read, bytes))
        try pipe.readEnd.close()
        try pipe.writeEnd.close()
    }

    #if os(Linux)
    @Test("Standard input as a slow pipe, by its name")
    func standardInput() async {
        await #expect(processExitsWith: .success) {
            let pipe = try FileDescriptor.pipe()
            dup2(pipe.readEnd.rawValue, 0)
            var read: [UInt8] = []
            try withLoop { loop in
                try FileRequest.start(.readFile("/dev/stdin"), on: loop) { _, result in read = try! result.get() }
                let timer = try TimerHandle(on: loop)
                try timer.start(after: .milliseconds(20)) { timer in
                    try! pipe.writeEnd.writeAll([1, 2])
                    try! pipe.writeEnd.close()
                    timer.close()
                }
            }
            #expect(read == [1, 2])
        }
    }

    @Test("Standard output as a file, by its name: the file itself is written, and stays what later prints go to")
    func standardOutput() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let file = try FileDescriptor.open(
                    folder("file"), .writeOnly, options: .create, permissions: .ownerReadWrite)
                dup2(file.rawValue, 1)
                try file.close()
                let before = try done { try FileRequest.start(.status(of: folder("file")), on: $0, onDone: $1) }
                for name in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
                    try done { try FileRequest.start(.writeFile(FilePath(name), [1, 2, 3]), on: $0, onDone: $1) }
                    try #expect(content(of: folder("file")) == [1, 2, 3])
                    expect(.notSupported, of: name) {
                        try done {
                            try FileRequest.copy(folder.file("x\(name.count)"), to: FilePath(name), on: $0, onDone: $1)
                        }
                    }
                }
                let after = try done { try FileRequest.start(.status(of: folder("file")), on: $0, onDone: $1) }
                #expect(after.inode == before.inode && after.linkCount == 1)
                let null = unsafe try FileDescriptor.open("/dev/null", .writeOnly)
                dup2(null.rawValue, 1)
                try null.close()
            }
        }
    }

    @Test("What the system makes up is written in place; what is not there is not made")
    func madeUp() async {
        await #expect(processExitsWith: .success) {
            func write(_ path: FilePath, _ text: String) throws {
                try done { try FileRequest.start(.writeFile(path, Array(text.utf8)), on: $0, onDone: $1) }
            }
            try write("/proc/self/comm", "another")
            try #expect(content(of: "/proc/self/comm") == Array("another\n".utf8))
            try write("/proc/self/oom_score_adj", "500")
            try #expect(content(of: "/proc/self/oom_score_adj") == Array("500\n".utf8))
            expect(.noSuchFileOrDirectory, of: "/proc/self/none") { try write("/proc/self/none", "x") }
            expect(.invalidArgument, of: "/proc/self/oom_score_adj") { try write("/proc/self/oom_score_adj", "x") }
        }
    }

    @Test("A file on which another is mounted is written in place, and a copy to it refuses")
    func mounted() async {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                let (inner, outer) = try (folder.file("inner", [1, 2, 3]), folder.file("outer"))
                // Only the superuser may mount.
                guard unsafe cfaults_mount_file(inner.string, outer.string) == 0 else { return }
                defer { unsafe cfaults_unmount(outer.string) }
                try done { try FileRequest.start(.writeFile(outer, [7]), on: $0, onDone: $1) }
                try #expect(content(of: inner) == [7] && folder.names() == ["inner", "outer"])
                try folder.file("other")
                expect(.resourceBusy, of: outer) {
                    try done { try FileRequest.copy(folder("other"), to: outer, on: $0, onDone: $1) }
                }
                try #expect(content(of: inner) == [7] && folder.names() == ["inner", "other", "outer"])
            }
        }
    }
    #endif
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
