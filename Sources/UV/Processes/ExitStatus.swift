/// How a process has ended.
public enum ExitStatus: Hashable, Sendable {
    /// It has left by itself, with a status from 0 to 255. 0 means success.
    case exited(Int32)
    /// A signal has ended it.
    case signaled(Signal)
    /// Nobody knows: another part of this program has waited for all children and taken the status.
    case unknown

    init(exit: CInt, signal: CInt) { self = signal == 0 ? .exited(exit) : .signaled(Signal(signal)) }

    /// Whether it is the exit status 0.
    public var isSuccess: Bool { self == .exited(0) }
}

extension ExitStatus: CustomStringConvertible {
    /// For people: `exit status 1`, `SIGKILL`.
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .signaled(let signal): signal.description
        case .unknown: "an unknown status"
        }
    }
}
