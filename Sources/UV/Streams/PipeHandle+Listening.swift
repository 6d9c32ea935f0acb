internal import CLibuv
internal import CPlatform
public import SystemPackage
internal import UVPlatform

extension PipeHandle {
    /// Gives the socket an address, so that others can connect to it once it listens. An address that somebody has is an error
    /// here and now.
    ///
    /// A path becomes a file, which is removed when the handle is closed, if the file is still the handle's own. A process that
    /// dies leaves its file behind.
    ///
    /// - Parameter permissions: Of the file, before anybody can connect; to connect takes the permission to write. `nil` is what
    ///   the process's `umask` leaves of all.
    /// - Parameter replacingStale: Whether to take the place of a socket file that nobody listens on any more. Who listens is
    ///   found out by connecting: a server that is alive sees a client come and go. The new socket listens at once.
    /// - Parameter removesFile: False leaves the file at the close, for a process that goes on with the socket.
    /// - Throws: ``UVError`` with `.addressInUse`, also for a file that is no socket, `.noSuchFileOrDirectory` without the directory,
    ///   `.permissionDenied`, `.invalidArgument` when the handle has a socket already.
    ///
    /// Replaces `uv_pipe_bind`: it cuts a path that is too long, has no abstract names, and removes whatever has the path at close.
    public func bind(
        to address: LocalAddress, permissions: FilePermissions? = nil, replacingStale: Bool = false,
        removesFile: Bool = true
    ) throws(UVError) {
        try checkOpen("bind")
        let subject = address.description
        if (try? fileDescriptor) != nil { throw UVError(.invalidArgument, in: "bind", of: "a handle with a socket") }
        let socket = cplatform_socket(AF_UNIX, streamSocketType)
        try checkSystem(socket, "bind", of: subject)
        var made: SocketFile?
        do throws(UVError) {
            var status = unsafe try address.withSockaddr("bind") { unsafe systemBind(socket, $0, $1) }
            if status != 0, errno == EADDRINUSE, replacingStale, let path = address.path {
                try SocketFile.removeStale(at: path, address)
                status = unsafe try address.withSockaddr("bind") { unsafe systemBind(socket, $0, $1) }
            }
            try checkSystem(status, "bind", of: subject)
            if let path = address.path {
                made = SocketFile(at: path)
                if let permissions {
                    let mode = mode_t(permissions.rawValue)
                    try checkSystem(
                        unsafe path.withPlatformString { unsafe cplatform_set_mode($0, mode) }, "bind", of: subject)
                }
                // Another server that replaces a stale file would take a socket that does not listen yet for one.
                if replacingStale {
                    try checkSystem(systemListen(socket, 1_024), "bind", of: subject)
                    // That server may have been faster.
                    if made?.isInPlace != true { throw UVError(.addressInUse, in: "bind", of: subject) }
                }
            }
            try check(unsafe uv_pipe_open(raw, socket), "bind", of: subject)
        } catch {
            made?.remove()
            FileDescriptor(rawValue: socket).closeIgnoringErrors()
            throw error
        }
        socketFile = removesFile ? made : nil
    }

    /// Accepts connections from now on and hands each over, ready for use; drop or close the ones that you do not want.
    ///
    /// When the process is out of descriptors the closure gets the error (`.tooManyOpenFiles` and relatives), about every 50 ms as
    /// long as it lasts; the clients wait meanwhile, and accepting goes on by itself.
    ///
    /// - Parameter backlog: How many connections may wait in the kernel, which has a limit of its own. More are refused with
    ///   `.resourceTemporarilyUnavailable`.
    /// - Throws: ``UVError`` with `.invalidArgument` for a backlog below 1 or an absurd one, and for a handle without an address;
    ///   `.alreadyInProcess` when listening already.
    ///
    /// Replaces `uv_listen`: it can call back for ever within one turn when descriptors have run out.
    public func listen(
        backlog: Int = 1_024, onConnection: @escaping (PipeHandle, Result<PipeHandle, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("listen")
        try startAccepting(backlog: backlog) { [unowned self] accepted in
            onConnection(
                self,
                accepted.flatMap { accepted in
                    Result { () throws(UVError) in
                        let handle = try PipeHandle(on: loop, adopting: accepted.socket, of: accepted.localPeer)
                        handle.noteAccepted()
                        return handle
                    }
                })
        }
    }

    /// What everybody may do with a socket's file.
    public struct Access: OptionSet, Hashable, Sendable {
        public let rawValue: CInt
        public init(rawValue: CInt) { self.rawValue = rawValue }
        /// Means nothing to Linux.
        public static let readable = Access(rawValue: 1)
        /// Connect.
        public static let writable = Access(rawValue: 2)
    }

    /// Gives all users the right to connect. It only adds rights; ``bind(to:permissions:replacingStale:removesFile:)`` takes some away.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` before the handle is bound, `.invalidArgument` for no access and for a socket
    ///   without a path, `.noSuchFileOrDirectory` when the file is gone.
    ///
    /// Calls `uv_pipe_chmod`.
    public func allowEveryone(_ access: Access) throws(UVError) {
        let address = try localAddress
        // libuv would look for a file with an empty name.
        guard let path = address.path else { throw UVError(.invalidArgument, in: "allowEveryone", of: "\(address)") }
        var before = stat()
        try checkSystem(
            unsafe path.withPlatformString { unsafe stat($0, &before) }, "allowEveryone", of: "\(address)")
        try check(unsafe uv_pipe_chmod(raw, access.rawValue), "allowEveryone", of: "\(address)")
        // Later versions of libuv take away what was there.
        let added = mode_t(access.contains(.readable) ? 0o444 : 0) | mode_t(access.contains(.writable) ? 0o222 : 0)
        try checkSystem(
            unsafe path.withPlatformString { unsafe cplatform_set_mode($0, before.st_mode & 0o7777 | added) },
            "allowEveryone", of: "\(address)")
    }
}
