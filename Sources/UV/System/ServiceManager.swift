internal import CLibuv
internal import CPlatform
internal import Synchronization
internal import UVPlatform

/// What a service manager that has started this process has opened for it, and wants to hear: the protocols of systemd, which others
/// speak too. In a process that nobody manages there are no sockets, and nobody is told.
///
/// On any thread. The environment is read and not changed: children do not take the sockets for theirs, because `LISTEN_PID` names this
/// process.
public enum ServiceManager {
    /// A socket that the service manager has opened.
    public struct Socket: Sendable {
        /// What `FileDescriptorName=` says, by default the name of the socket's unit; `unknown` if the manager says nothing.
        public let name: String
        /// The socket. It is closed when nobody takes it and the last reference is dropped.
        public let descriptor: PassedDescriptor
    }

    /// Something that the service manager is told.
    public struct State: Hashable, Sendable {
        let text: String

        /// The service has started, or has finished reloading.
        public static let ready = State(text: "READY=1")
        /// The service has begun to end.
        public static let stopping = State(text: "STOPPING=1")
        /// The service is alive: see ``watchdogInterval``.
        public static let alive = State(text: "WATCHDOG=1")
        /// The service has failed: the manager treats it as if it had not said that it is alive.
        public static let failed = State(text: "WATCHDOG=trigger")

        /// The service reads its configuration anew; ``ready`` follows.
        public static var reloading: State {
            State(text: "RELOADING=1\nMONOTONIC_USEC=\(Int64(Loop.hrtime / .microseconds(1)))")
        }

        /// A line for people, such as `12 clients`; what would begin a new line is a space.
        public static func status(_ text: String) -> State { State(text: "STATUS=\(line(text))") }

        /// The start, or the end, takes so long from now on, at most.
        public static func extendTimeout(_ time: Duration) -> State {
            let microseconds = time / .microseconds(1)
            return State(text: "EXTEND_TIMEOUT_USEC=\(UInt64(min(max(microseconds, 0), 1e18)))")
        }

        /// Any other assignment of the protocol: see sd_notify(3).
        public static func other(_ name: String, _ value: String) -> State {
            State(text: "\(line(name))=\(line(value))")
        }

        private static func line(_ text: String) -> String {
            String(text.map { $0.isNewline || $0 == "\0" ? " " : $0 })
        }
    }

    // MARK: Sockets

    private struct Passed: Sendable {
        var sockets: [Socket] = []
        var error: UVError?
    }

    /// `nil` until somebody asks.
    private static let passed = Mutex<Passed?>(nil)

    /// Takes sockets that the service manager has opened (`LISTEN_FDS`), each once, in its order. None are left for a second call.
    ///
    /// - Parameter name: Takes those with this name; `nil` takes all names.
    /// - Parameter kind: Takes those of this kind; `nil` takes all kinds.
    /// - Throws: ``UVError`` with `.invalidArgument` when the environment makes no sense, `.badFileDescriptor` when it names a
    ///   descriptor that is not open. Nothing is taken then.
    public static func takeSockets(
        named name: String? = nil, kind: PassedDescriptor.Kind? = nil
    ) throws(UVError) -> [Socket] {
        let result: Result<[Socket], UVError> = passed.withLock { passed in
            var rest = passed ?? read()
            if let error = rest.error { return .failure(error) }
            let isMeant = { (socket: Socket) in
                (name == nil || socket.name == name) && (kind == nil || socket.descriptor.kind == kind)
            }
            let taken = rest.sockets.filter(isMeant)
            rest.sockets.removeAll(where: isMeant)
            passed = rest
            return .success(taken)
        }
        return try result.get()
    }

    private static func read() -> Passed {
        do throws(UVError) {
            let names = try socketNames(
                process: value(of: "LISTEN_PID"), count: value(of: "LISTEN_FDS"), names: value(of: "LISTEN_FDNAMES"))
            // All are looked at before the first one is taken over.
            for (index, name) in names.enumerated() {
                let flags = fcntl(firstSocket + CInt(index), F_GETFD)
                let subject = "descriptor \(Int(firstSocket) + index) (\(name)) of LISTEN_FDS"
                try checkSystem(flags, "socket activation", of: subject)
                // An exec leaves no such descriptor open: it is one of this process's own, and the manager has passed fewer.
                if flags & FD_CLOEXEC != 0 { throw UVError(.badFileDescriptor, in: "socket activation", of: subject) }
            }
            for (index, name) in names.enumerated() {
                let subject = "descriptor \(Int(firstSocket) + index) (\(name)) of LISTEN_FDS"
                // The manager could not have it so, because it started us by an exec.
                try checkSystem(
                    fcntl(firstSocket + CInt(index), F_SETFD, FD_CLOEXEC), "socket activation", of: subject)
            }
            let sockets = names.enumerated().map { index, name in
                Socket(name: name, descriptor: PassedDescriptor(.init(rawValue: firstSocket + CInt(index))))
            }
            return Passed(sockets: sockets)
        } catch { return Passed(error: error) }
    }

    private static let firstSocket: CInt = 3

    /// The names of the sockets from descriptor 3 on; none if they are meant for another process.
    package static func socketNames(process: String?, count: String?, names: String?) throws(UVError) -> [String] {
        guard let process, let count else { return [] }
        guard let number = Int32(process), number > 0 else { throw senseless("LISTEN_PID", process) }
        if number != getpid() { return [] }
        guard let count = Int(count), (0...65_536).contains(count) else { throw senseless("LISTEN_FDS", count) }
        guard let names else { return [String](repeating: "unknown", count: count) }
        let list = names.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        if count == 0 { return [] }
        if list.count != count { throw senseless("LISTEN_FDNAMES", "\(names) for \(count) descriptors") }
        return list
    }

    private static func senseless(_ name: String, _ value: String) -> UVError {
        UVError(.invalidArgument, in: "socket activation", of: "\(name)=\(value)")
    }

    private static func value(of name: String) throws(UVError) -> String? {
        try SystemInfo.environmentValue(of: name)
    }

    // MARK: Telling

    /// Tells the service manager something (`NOTIFY_SOCKET`), all of it in one message.
    ///
    /// A manager whose queue is full is waited for, for one second at most.
    ///
    /// - Returns: Whether there is a manager that wants to hear; then it has the message.
    /// - Throws: ``UVError`` with `.invalidArgument` or `.fileNameTooLong` for a `NOTIFY_SOCKET` that makes no sense,
    ///   `.resourceTemporarilyUnavailable` when the queue stays full, `.connectionRefused` and relatives when nobody reads it.
    @discardableResult
    public static func notify(_ states: State...) throws(UVError) -> Bool {
        guard !states.isEmpty, let name = try value(of: "NOTIFY_SOCKET"), !name.isEmpty else { return false }
        let address = try notifyAddress(name)
        let socket = cplatform_socket(AF_UNIX, datagramSocketType)
        try checkSystem(socket, "notify", of: name)
        defer { close(socket) }
        try makeWait(socket)
        let message = Array(states.map(\.text).joined(separator: "\n").utf8)
        var sent = -1
        repeat {
            sent = unsafe try address.withSockaddr("notify") { address, size in
                unsafe sendto(socket, message, message.count, 0, address, size)
            }
        } while sent < 0 && errno == EINTR
        try checkSystem(CInt(clamping: sent), "notify", of: name)
        return true
    }

    /// Whether there is a manager that wants to hear of ``State``s.
    public static var isListening: Bool {
        ((try? value(of: "NOTIFY_SOCKET")) ?? "")?.isEmpty == false
    }

    private static func notifyAddress(_ name: String) throws(UVError) -> LocalAddress {
        switch name.first {
        case "/": return try LocalAddress(path: name)
        case "@": return try LocalAddress(abstract: String(name.dropFirst()))
        default: throw UVError(.invalidArgument, in: "notify", of: "NOTIFY_SOCKET=\(name)")
        }
    }

    /// Lets a send wait for room, up to a second.
    private static func makeWait(_ socket: CInt) throws(UVError) {
        try checkSystem(fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK), "notify")
        var time = timeval(tv_sec: 1, tv_usec: 0)
        try checkSystem(
            unsafe setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size)), "notify")
    }

    // MARK: The watchdog

    /// How often the service manager wants to hear ``State/alive`` at least (`WATCHDOG_USEC`), else it takes the process for hung; `nil`
    /// if it does not. Tell it twice as often.
    public static var watchdogInterval: Duration? {
        guard let text = try? value(of: "WATCHDOG_USEC"), let microseconds = Int64(text), microseconds > 0 else {
            return nil
        }
        if let process = try? value(of: "WATCHDOG_PID"), Int32(process) != getpid() { return nil }
        return .microseconds(microseconds)
    }
}
