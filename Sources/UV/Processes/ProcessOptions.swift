public import SystemPackage

/// In what surroundings a child process runs.
public struct ProcessOptions: Hashable, Sendable {
    /// The variables of a child's environment.
    public enum Environment: Hashable, Sendable {
        /// Those of this process.
        case inherited
        /// Those of this process with changes; `nil` removes a variable.
        case extended([String: String?])
        /// These and no others.
        case exactly([String: String])
    }

    /// The environment. A program without a slash in its name is looked for in the child's `PATH`.
    public var environment = Environment.inherited
    /// The child's working directory; `nil` for this process's. A program's relative path begins there, too.
    public var directory: FilePath?
    /// The user as whom the child runs; `nil` for this process's. Only root may choose. The child is in no further groups. Its
    /// main group stays this process's unless ``group`` is set as well.
    public var user: UInt32?
    /// The child's main group; `nil` for this process's. Only root may choose. The child is in no further groups.
    public var group: UInt32?
    /// Whether the child begins a session and a process group of its own (setsid(2)), with all of its descendants. Ctrl-C in
    /// this process's terminal is not for it, and its group can be signalled as a whole.
    public var isDetached = false
    /// Lets libuv start the child, as it does where the system is old. For tests.
    package var isForked = false

    /// Options as the arguments say.
    public init(
        environment: Environment = .inherited, directory: FilePath? = nil, user: UInt32? = nil, group: UInt32? = nil,
        isDetached: Bool = false
    ) {
        self.environment = environment
        self.directory = directory
        self.user = user
        self.group = group
        self.isDetached = isDetached
    }
}

extension ProcessOptions.Environment {
    /// The variables as `NAME=value`; `nil` for those of this process, unchanged.
    func variables(for program: String) throws(UVError) -> [String]? {
        var variables: [String: String]
        switch self {
        case .inherited: return nil
        case .exactly(let all): variables = all
        case .extended(let changes):
            variables = try SystemInfo.environment
            for (name, value) in changes { variables[name] = value }
        }
        for (name, value) in variables
        where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || name.utf8.contains(0) || value.utf8.contains(0) {
            throw UVError(
                .invalidArgument, in: "spawn", of: "\(program) with the variable \(name.debugDescription)")
        }
        return variables.map { "\($0)=\($1)" }
    }
}
