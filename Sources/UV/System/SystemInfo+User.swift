internal import CLibuv
public import SystemPackage

/// The user and the environment.
extension SystemInfo {
    /// A user of the system.
    public struct User: Hashable, Sendable {
        /// The name to log in with.
        public let name: String
        /// The number of the user.
        public let id: UInt32
        /// The number of the user's first group.
        public let group: UInt32
        /// `nil` where there is none.
        public let shell: FilePath?
        /// Where the user's files are, as the database says; ``SystemInfo/homeDirectory`` asks the environment first.
        public let homeDirectory: FilePath
    }

    /// The user as whom this process runs.
    ///
    /// It looks into the user database, which may be on the network: `AsyncUV` has a form
    /// that waits without holding a loop up, `lookUpUser`.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` when the database does not know the user.
    ///
    /// Calls `uv_os_get_passwd`.
    public static var user: User {
        get throws(UVError) {
            var raw = unsafe uv_passwd_t()
            try check(unsafe uv_os_get_passwd(&raw), "user")
            defer { unsafe uv_os_free_passwd(&raw) }
            return unsafe User(
                name: String(cString: raw.username), id: UInt32(truncatingIfNeeded: raw.uid),
                group: UInt32(truncatingIfNeeded: raw.gid),
                shell: raw.shell.map { unsafe FilePath(platformString: $0) },
                homeDirectory: FilePath(platformString: raw.homedir))
        }
    }

    /// The user's directory: what the environment variable `HOME` says, else the user database, which may take its time: see
    /// ``user``. Calls `uv_os_homedir`.
    public static var homeDirectory: FilePath {
        get throws(UVError) { FilePath(unsafe try text("homeDirectory") { unsafe uv_os_homedir($0, $1) }) }
    }

    // MARK: The environment

    /// The environment of this process. It must not be changed by another thread meanwhile. Calls `uv_os_environ`.
    public static var environment: [String: String] {
        get throws(UVError) {
            var raw: UnsafeMutablePointer<uv_env_item_t>?
            var count: CInt = 0
            try check(unsafe uv_os_environ(&raw, &count), "environment")
            defer { unsafe uv_os_free_environ(raw, count) }
            let pairs = unsafe UnsafeBufferPointer(start: raw, count: Int(count)).map {
                unsafe (String(cString: $0.name), String(cString: $0.value))
            }
            // Of two with one name, getenv(3) finds the first.
            return Dictionary(pairs) { first, _ in first }
        }
    }

    /// The value of a variable of the environment; `nil` if it is not set.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a name with a NUL.
    ///
    /// Calls `uv_os_getenv`.
    public static func environmentValue(of name: String) throws(UVError) -> String? {
        try checkName(name, "environmentValue")
        do throws(UVError) {
            return unsafe try text("environmentValue", of: name) { unsafe uv_os_getenv(name, $0, $1) }
        } catch {
            if error.code == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// Sets a variable of the environment, for this process and the ones that it starts later; `nil` removes it.
    ///
    /// For the start of a program: other threads may look at the environment at the same time, also in functions of the system
    /// such as `getaddrinfo`, and the system does not guard it.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a name that is empty or has a `=` or a NUL, and a value with a NUL.
    ///
    /// Calls `uv_os_setenv`, `uv_os_unsetenv`.
    public static func setEnvironmentValue(_ value: String?, of name: String) throws(UVError) {
        try checkName(name, "setEnvironmentValue")
        if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || value?.utf8.contains(0) == true {
            throw UVError(.invalidArgument, in: "setEnvironmentValue", of: name.debugDescription)
        }
        let status = unsafe value.map { unsafe uv_os_setenv(name, $0) } ?? uv_os_unsetenv(name)
        try check(status, "setEnvironmentValue", of: name)
    }

    private static func checkName(_ name: String, _ operation: StaticString) throws(UVError) {
        if name.utf8.contains(0) {
            throw UVError(.invalidArgument, in: operation.description, of: name.debugDescription)
        }
    }
}
