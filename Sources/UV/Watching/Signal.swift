internal import UVPlatform

/// A signal to a process.
///
/// ```swift
/// let signals = try await Signals.watch(.interrupt, .terminate)
/// ```
public struct Signal: RawRepresentable, Hashable, Sendable {
    /// The system's number.
    public let rawValue: CInt

    /// The signal of a number, which need not be one of this system.
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// The signal of a number: `Signal(SIGUSR1)`.
    public init(_ number: CInt) { rawValue = number }

    /// SIGHUP: the terminal is gone; to servers: read the configuration again.
    public static let hangUp = Signal(SIGHUP)
    /// SIGINT: Ctrl-C.
    public static let interrupt = Signal(SIGINT)
    /// SIGQUIT: Ctrl-\.
    public static let quit = Signal(SIGQUIT)
    /// SIGABRT: the process gives up.
    public static let abort = Signal(SIGABRT)
    /// SIGKILL: ends a process, which cannot watch it.
    public static let kill = Signal(SIGKILL)
    /// SIGUSR1: for the program's own use.
    public static let user1 = Signal(SIGUSR1)
    /// SIGUSR2: for the program's own use.
    public static let user2 = Signal(SIGUSR2)
    /// SIGPIPE: a write to something that nobody reads; see ``Loop``.
    public static let brokenPipe = Signal(SIGPIPE)
    /// SIGALRM: the process's alarm clock.
    public static let alarm = Signal(SIGALRM)
    /// SIGTERM: the wish that the process ends.
    public static let terminate = Signal(SIGTERM)
    /// SIGCHLD: a child has ended, stopped, or goes on.
    public static let child = Signal(SIGCHLD)
    /// SIGCONT: goes on after a stop.
    public static let `continue` = Signal(SIGCONT)
    /// SIGSTOP: stops a process, which cannot watch it.
    public static let stop = Signal(SIGSTOP)
    /// SIGTSTP: Ctrl-Z.
    public static let terminalStop = Signal(SIGTSTP)
    /// SIGTTIN: a read of the terminal in the background.
    public static let terminalInput = Signal(SIGTTIN)
    /// SIGTTOU: a write to the terminal in the background.
    public static let terminalOutput = Signal(SIGTTOU)
    /// SIGURG: a socket has urgent data.
    public static let urgent = Signal(SIGURG)
    /// SIGPROF: the profiler's timer.
    public static let profiling = Signal(SIGPROF)
    /// SIGWINCH: the terminal has another size.
    public static let windowChange = Signal(SIGWINCH)
}

extension Signal: CustomStringConvertible {
    private static let names: [Signal: String] = [
        .hangUp: "SIGHUP", .interrupt: "SIGINT", .quit: "SIGQUIT", .abort: "SIGABRT", .kill: "SIGKILL",
        .user1: "SIGUSR1",
        .user2: "SIGUSR2", .brokenPipe: "SIGPIPE", .alarm: "SIGALRM", .terminate: "SIGTERM", .child: "SIGCHLD",
        .continue: "SIGCONT", .stop: "SIGSTOP", .terminalStop: "SIGTSTP", .terminalInput: "SIGTTIN",
        .terminalOutput: "SIGTTOU", .urgent: "SIGURG", .profiling: "SIGPROF", .windowChange: "SIGWINCH",
    ]

    /// The system's name: `SIGTERM`; `signal 64` for one without a name here.
    public var description: String { Self.names[self] ?? "signal \(rawValue)" }
}
