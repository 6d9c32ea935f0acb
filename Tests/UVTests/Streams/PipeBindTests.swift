import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// The file of a listening local socket.
@Suite(.ownThread) struct PipeBindTests {
    /// Binds, listens, and closes after the body.
    private func listening(
        at path: FilePath, permissions: FilePermissions? = nil, replacingStale: Bool = false, removesFile: Bool = true,
        _ body: (PipeHandle) throws -> Void = { _ in }
    ) throws {
        try withLoop { loop in
            let handle = try PipeHandle(on: loop)
            try handle.bind(
                to: LocalAddress(path: path), permissions: permissions, replacingStale: replacingStale,
                removesFile: removesFile)
            try handle.listen { _, connection in try! connection.get().close() }
            try body(handle)
            handle.close()
        }
    }

    private func mode(of path: FilePath) -> mode_t {
        var status = stat()
        return unsafe lstat(path.string, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test func theFileIsRemovedAtTheClose() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try listening(at: path) { _ in try #expect(names(in: folder) == ["s"]) }
            #expect(try names(in: folder).isEmpty)
            try listening(at: path, removesFile: false)
            #expect(try names(in: folder) == ["s"])
        }
    }

    @Test("A file that took the socket's place stays") func othersFile() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            let other = try FileDescriptor.localSocket(at: folder.appending("t"))
            try listening(at: path) { _ in
                unsafe #expect(rename(folder.appending("t").string, path.string) == 0)
                try #expect(names(in: folder) == ["s"])
            }
            #expect(try names(in: folder) == ["s"])
            try FileDescriptor.localConnection(to: path).close()
            try other.close()
        }
    }

    @Test("A file that is left behind is in the way, unless it may be replaced") func stale() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try FileDescriptor.localSocket(at: path).close()
            let error = #expect(throws: UVError.self) { try listening(at: path) }
            #expect(error?.code == .addressInUse && error?.operation == "bind" && error?.subject == path.string)
            #expect(try names(in: folder) == ["s"])
            try listening(at: path, replacingStale: true) { _ in
                try FileDescriptor.localConnection(to: path).close()
                #expect(try names(in: folder) == ["s"])
            }
            #expect(try names(in: folder).isEmpty)
            // Nothing is in the way.
            try listening(at: path, replacingStale: true)
        }
    }

    @Test("What is alive, or no socket for connections, is not replaced") func alive() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try listening(at: path) { _ in
                expectError(.addressInUse) { try listening(at: path, replacingStale: true) }
                try FileDescriptor.localConnection(to: path).close()
            }
            // One whose queue is full.
            let full = try FileDescriptor.localSocket(at: path, backlog: 0)
            let client = try FileDescriptor.localConnection(to: path)
            expectError(.addressInUse) { try listening(at: path, replacingStale: true) }
            try client.close()
            try full.close()
            unsafe #expect(unlink(path.string) == 0)
            let datagrams = try FileDescriptor.localSocket(at: path, backlog: nil, datagrams: true)
            expectError(.addressInUse) { try listening(at: path, replacingStale: true) }
            try datagrams.close()
            let file = folder.appending("file")
            let opened = try FileDescriptor.open(file, .readWrite, options: .create, permissions: .ownerReadWrite)
            try opened.writeAll([1, 2, 3])
            expectError(.addressInUse) { try listening(at: file, replacingStale: true) }
            #expect(try opened.closeAfter { try opened.seek(offset: 0, from: .end) } == 3)
            unsafe #expect(symlink("nowhere", folder.appending("link").string) == 0)
            expectError(.addressInUse) { try listening(at: folder.appending("link"), replacingStale: true) }
            #expect(try names(in: folder) == ["file", "link", "s"])
        }
    }

    @Test("Permissions are exact, whatever the umask", arguments: [0o600, 0o666, 0o777] as [CInterop.Mode])
    func permissions(_ mode: CInterop.Mode) throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try listening(at: path, permissions: FilePermissions(rawValue: mode)) { handle in
                #expect(self.mode(of: path) == mode)
                try handle.allowEveryone(.writable)
                #expect(self.mode(of: path) == mode | 0o222)
                try handle.allowEveryone([.readable, .writable])
                #expect(self.mode(of: path) == mode | 0o666)
            }
        }
    }

    @Test func allowEveryoneSaysWhatIsWrong() throws {
        try inSocketFolder { folder in
            try withLoop { loop in
                let handle = try PipeHandle(on: loop)
                expectError(.badFileDescriptor) { try handle.allowEveryone(.writable) }
                try handle.bind(to: LocalAddress(path: folder.appending("s")))
                expectError(.invalidArgument) { try handle.allowEveryone([]) }
                unsafe #expect(unlink(folder.appending("s").string) == 0)
                let error = #expect(throws: UVError.self) { try handle.allowEveryone(.writable) }
                #expect(error?.code == .noSuchFileOrDirectory && error?.subject == folder.appending("s").string)
                handle.close()
                let (near, far) = try PipeHandle.pair(on: loop)
                expectError(.invalidArgument) { try near.allowEveryone(.writable) }
                near.close()
                far.close()
            }
        }
    }

    @Test func aBindThatFailsLeavesNothing() throws {
        try inSocketFolder { folder in
            let path = folder.appending("s")
            try withLoop { loop in
                let handle = try PipeHandle(on: loop)
                expectError(.noSuchFileOrDirectory) {
                    try handle.bind(to: LocalAddress(path: folder.appending("no/s")))
                }
                try handle.bind(to: LocalAddress(path: path))
                expectError(.invalidArgument) { try handle.bind(to: LocalAddress(path: folder.appending("t"))) }
                #expect(try names(in: folder) == ["s"])
                try loop.closeAllHandles()
            }
            #expect(try names(in: folder).isEmpty)
        }
    }

    #if os(Linux)
    @Test("A relative path is removed though the directory changed; others may not connect without permission")
    func inAProcessOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            try inSocketFolder { folder in
                let path = folder.appending("s")
                unsafe #expect(chdir(folder.string) == 0)
                let loop = try Loop()
                let handle = try PipeHandle(on: loop)
                try handle.bind(to: LocalAddress(path: "relative"))
                #expect(try handle.localAddress.path == "relative")
                unsafe #expect(chdir("/") == 0)
                handle.close()
                let guarded = try PipeHandle(on: loop)
                try guarded.bind(to: LocalAddress(path: path), permissions: [.ownerReadWrite])
                try guarded.listen { _, connection in try? connection.get().close() }
                #expect(try names(in: folder) == ["s"])
                guard geteuid() == 0 else { return try loop.closeAllHandles() }
                unsafe #expect(chmod(folder.string, 0o777) == 0)
                #expect(seteuid(65_534) == 0)
                var code: UVError.Code?
                let client = try PipeHandle(on: loop)
                try client.connect(to: LocalAddress(path: path)) { _, error in
                    code = error?.code
                    try? loop.closeAllHandles()
                }
                try loop.run()
                #expect(seteuid(0) == 0)
                #expect(code == .permissionDenied)
            }
        }
    }
    #endif
}
