import AsyncUV
import CHostLoop
import Dispatch
import Foundation
import UV

extension Leaving {
    /// Where files may be left.
    static var folder: FilePath { FilePath(ProcessInfo.processInfo.environment["SWIFT_UV_LEAVE_FOLDER"] ?? "/tmp") }

    static func watchFiles() async throws {
        let folder = Self.folder.appending("\(getpid()).d")
        try await FileSystem.makeDirectory(folder)
        Task.detached {
            for try await _ in try await FileSystem.changes(at: folder, debounce: .zero, on: .shared) {}
        }
        try await EventLoop.shared.withLoop { loop in
            try FileEventHandle(on: loop).start(folder) { _, _ in }
            try FilePollHandle(on: loop).start(folder, every: .milliseconds(1)) { _, _ in }
            _ = try TreeWatcher(at: folder, on: loop) { _, _ in }
        }
        Thread.detachNewThread {
            while true {
                for number in 0..<8 {
                    let path = folder.appending("\(number)").string
                    unsafe close(open(path, O_CREAT | O_WRONLY, 0o600))
                    unsafe unlink(path)
                }
                // libuv reads events until there are none: without a pause a debug build never gets to anything else.
                usleep(20_000)
            }
        }
    }

    static func runChildren() {
        for _ in 0..<2 { Task.detached { while true { _ = try await ChildProcess.run("true", on: .shared) } } }
        Task.detached {
            // It ends with us, because its input does.
            let child = try await ChildProcess.spawn("cat", input: .pipe, output: .pipe, on: .shared)
            while true {
                try await child.input?.write([1, 2, 3])
                _ = try await child.output?.read()
            }
        }
    }

    static func makeTerminalRaw() async throws {
        let person = try FileDescriptor.open(FilePath("/dev/ptmx"), .readWrite)
        // What unlockpt(3) and ptsname(3) do on Linux, which Glibc does not show.
        let (unlock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var number: CInt = 0
        _ = unsafe ioctl(person.rawValue, unlock, &number)
        _ = unsafe ioctl(person.rawValue, getNumber, &number)
        let program = try FileDescriptor.open(
            FilePath("/dev/pts/\(number)"), .readWrite, options: FileDescriptor.OpenOptions(rawValue: O_NOCTTY))
        let terminal = try await Terminal.open(program, on: .shared)
        try await terminal.setMode(.raw)
        Task.detached { while true { _ = try await terminal.read() } }
        Task.detached { while true { try await terminal.write("x") } }
        Thread.detachNewThread {
            while true {
                _ = try? person.writeAll("y".utf8)
                var byte: [UInt8] = [0]
                _ = unsafe byte.withUnsafeMutableBytes { unsafe try? person.read(into: $0) }
            }
        }
    }

    static func sendDatagrams() async throws {
        let near = try await UDPSocket.bind(host: "127.0.0.1", port: 0, on: .shared)
        let far = try await UDPSocket.bind(host: "127.0.0.1", port: 0, on: .shared)
        try await near.send([1], to: far.localAddress)
        for socket in [near, far] {
            Task.detached {
                while true {
                    let datagram = try await socket.receive()
                    try await socket.send(datagram.bytes, to: datagram.from)
                }
            }
        }
    }

    static func useLocalSockets() async throws {
        let (near, far) = try await LocalConnection.pair(on: .shared)
        try await near.write([1])
        for connection in [near, far] {
            Task.detached { while let chunk = try await connection.read() { try await connection.write(chunk) } }
        }
        let address = try LocalAddress(path: folder.appending("\(getpid()).sock"))
        let listener = try await LocalListener.bind(to: address, on: .shared)
        Task.detached { try await listener.serve { _ in } }
        Task.detached {
            while true { await (try await LocalConnection.connect(to: address, on: .shared)).close() }
        }
    }

    static func raiseSignals() async throws {
        let loops = try await EventLoopGroup(count: 2).loops + [.shared]
        for loop in loops {
            let signals = try await Signals.watch(.user1, .user2, .windowChange, on: loop)
            Task.detached { for try await _ in signals {} }
        }
        Thread.detachNewThread {
            while true { for signal in [SIGUSR1, SIGUSR2, SIGWINCH] { kill(getpid(), signal) } }
        }
    }

    static func runForC() {
        // A process that exits before the library's first call is not what this is about: nobody can prepare for that.
        let isAdopted = DispatchSemaphore(value: 0)
        defer { isAdopted.wait() }
        Thread.detachNewThread {
            let raw = unsafe chost_make()
            guard let loop = unsafe try? EventLoop(adopting: raw!) else { fatalError("the loop is not adopted") }
            isAdopted.signal()
            _ = unsafe chost_timer(raw, 1, 1, nil, nil)
            for number in 0..<10 {
                _ = loop.spawn { while true { try await loop.sleep(for: .microseconds(100 * number)) } }
            }
            _ = loop.spawn { for try await _ in try await Signals.watch(.user1, on: loop) {} }
            unsafe chost_run(raw, 0)
        }
    }
}
