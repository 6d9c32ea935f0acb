import AsyncUV
import Foundation
import UV

/// What a process is in the middle of when it leaves `main`.
enum Leaving: String, CaseIterable {
    /// The last statement was a loop over signals: the watch is dropped.
    case signals
    /// As before, with one wait.
    case nextSignal
    /// Signals are watched and dropped all the time.
    case watches
    /// Every kind of handle works on the shared loop.
    case handles
    /// A loop of the callback layer does the same on a thread of its own.
    case callbackLoop
    /// Connections are served by loops that are started and shut down all the time.
    case servers
    /// Tasks sleep and tick.
    case sleepers
    /// Files are read and written.
    case files
    /// Threads look up names and compute.
    case threads
    /// Directories and files are watched while a thread changes them.
    case watchers
    /// Child processes run, end, and are talked to.
    case children
    /// A terminal is raw.
    case terminal
    /// Datagrams go to and fro.
    case datagrams
    /// Local sockets: a pair, a listener.
    case localSockets
    /// Signals come as fast as they can, on several loops.
    case signalStorm
    /// A loop that C code owns, on a thread of its own, has tasks.
    case adopted
    /// `exit` is called on the loop's own thread.
    case exitOnLoop
    /// `exit` is called on another thread while the loop's thread computes for a long time.
    case exitWhileBusy
    /// One after the other and all at once, beside each other.
    case everything

    /// How the process is left in the end.
    enum Way: String, CaseIterable {
        /// `main` returns.
        case byReturn
        /// `exit` is called in `main`.
        case byExit
        /// `exit` is called in a task, on a thread of the pool.
        case inTask
        /// `exit` is called on a thread that nobody knows, while `main` waits for it.
        case onThread

        var status: CInt { self == .byReturn ? 0 : 3 }
    }

    /// The exit status that is right.
    func status(_ way: Way) -> CInt { self == .exitOnLoop || self == .exitWhileBusy ? 3 : way.status }

    func leave(_ way: Way, after microseconds: UInt32) async throws {
        try await begin(microseconds)
        usleep(microseconds)
        switch way {
        case .byReturn: return
        case .byExit: exit(3)
        case .inTask: Task.detached { exit(3) }
        case .onThread: Thread.detachNewThread { exit(3) }
        }
        try await Task.sleep(for: .seconds(100))
    }

    func begin(_ microseconds: UInt32) async throws {
        switch self {
        case .signals:
            Self.raiseSoon()
            for try await _ in try await Signals.watch(.user1, .user2) { break }
        case .nextSignal:
            Self.raiseSoon()
            _ = try await Signals.watch(.user1).next()
        case .watches: Self.keepWatching()
        case .handles: try await EventLoop.shared.withLoop { try Self.openHandles(on: $0) }
        case .callbackLoop: try Self.runCallbackLoop()
        case .servers: try await Self.serve()
        case .sleepers: Self.sleep()
        case .files: Self.useFiles()
        case .threads: Self.useThreads()
        case .watchers: try await Self.watchFiles()
        case .children: Self.runChildren()
        case .terminal: try await Self.makeTerminalRaw()
        case .datagrams: try await Self.sendDatagrams()
        case .localSockets: try await Self.useLocalSockets()
        case .signalStorm: try await Self.raiseSignals()
        case .adopted: Self.runForC()
        case .exitOnLoop:
            try await EventLoop.shared.withLoop { loop in
                try Self.openHandles(on: loop)
                try TimerHandle(on: loop).start(after: .microseconds(Int(microseconds))) { _ in exit(3) }
            }
            try await Task.sleep(for: .seconds(100))
        case .exitWhileBusy:
            EventLoop.shared.spawn { while true {} }
            Self.keepWatching()
            usleep(microseconds)
            exit(3)
        case .everything:
            for kind in [
                Self.watches, .handles, .callbackLoop, .servers, .sleepers, .files, .threads, .watchers, .children,
                .datagrams,
                .localSockets, .signalStorm, .adopted,
            ] {
                // Some are still at their beginning when the process is left.
                Task.detached { try await kind.begin(microseconds) }
            }
        }
    }

    private static func raiseSoon() {
        Thread.detachNewThread {
            // Before the watch it would end the process.
            while !isWatched(SIGUSR1) { usleep(50) }
            kill(getpid(), SIGUSR1)
        }
    }

    private static func isWatched(_ signal: CInt) -> Bool {
        var action = sigaction()
        unsafe sigaction(signal, nil, &action)
        return unsafe action.__sigaction_handler.sa_handler != nil
    }

    private static func keepWatching() {
        for _ in 0..<2 {
            Task.detached {
                while true { withExtendedLifetime(try await Signals.watch(.user1, .brokenPipe, on: .shared)) {} }
            }
        }
    }

    private static func openHandles(on loop: Loop) throws {
        let timer = try TimerHandle(on: loop)
        try timer.start(after: .zero, every: .milliseconds(1)) { timer in
            let signal = try? SignalHandle(on: loop)
            try? signal?.start(.hangUp) { _, _ in }
            signal?.close()
        }
        try IdleHandle(on: loop).start { _ in }
        try PrepareHandle(on: loop).start { _ in }
        try CheckHandle(on: loop).start { _ in }
        try SignalHandle(on: loop).start(.user2) { _, _ in }
        let wakeup = try WakeupHandle(on: loop) { $0.waker.wake() }
        wakeup.waker.wake()
        let (near, far) = try TCPHandle.pair(on: loop)
        for stream in [near, far] {
            try stream.startReading(
                onBytes: { stream, bytes in _ = try? stream.write(bytes) }, onEnd: { stream, _ in stream.close() })
        }
        try near.write([1, 2, 3])
        try PollHandle(on: loop, watching: near.fileDescriptor).start(.writable) { _, _ in }
    }

    private static func runCallbackLoop() throws {
        let begun = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            do {
                let loop = try Loop()
                try openHandles(on: loop)
                begun.signal()
                try loop.run()
            } catch { fatalError("\(error)") }
        }
        begun.wait()
    }

    private static func serve() async throws {
        let group = try await EventLoopGroup(count: 2)
        let listeners = try await group.bind(host: "127.0.0.1", port: 0)
        Task.detached {
            try await EventLoopGroup.serve(listeners) { connection in
                for try await chunk in connection { try await connection.write(chunk) }
            }
        }
        let address = listeners[0].localAddress
        for loop in group.loops {
            _ = loop.spawn {
                while true {
                    let connection = try await TCPConnection.connect(to: address, on: loop)
                    try await connection.write([1])
                    _ = try await connection.read()
                }
            }
        }
        Task.detached { while true { await (try EventLoop()).shutdown() } }
        Task.detached {
            try await Task.sleep(for: .milliseconds(2))
            await group.shutdown(grace: .milliseconds(1))
        }
    }

    private static func sleep() {
        let loop = EventLoop.shared
        for number in 0..<100 { _ = loop.spawn { while true { try await loop.sleep(for: .microseconds(number)) } } }
        _ = loop.spawn { for try await _ in loop.ticks(every: .milliseconds(1)) {} }
    }

    private static func useFiles() {
        Task.detached {
            let path = folder.appending("\(getpid())")
            try await FileSystem.writeFile(path, [UInt8](repeating: 7, count: 100_000))
            let file = try await File.open(path)
            try await FileSystem.remove(path)
            while true {
                _ = try await file.read(upTo: 65_536, at: 0)
                _ = try await FileSystem.status(of: "/tmp")
            }
        }
    }

    private static func useThreads() {
        for _ in 0..<3 {
            Task.detached { while true { _ = try await Resolver.addresses(of: "localhost", port: 1) } }
            Task.detached { while true { _ = try await EventLoop.shared.offload { Int.random(in: 0..<9) } } }
        }
    }
}
