internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// The file of a local socket that this process has bound. Device and inode tell it from a file that took its place, because the
/// inode is not used again while the socket is open.
struct SocketFile {
    private let path: FilePath
    private let identity: Identity

    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
        let isSocket: Bool

        /// What has the path, not what a link leads to.
        init?(of path: FilePath) {
            var status = stat()
            guard unsafe path.withPlatformString({ unsafe lstat($0, &status) }) == 0 else { return nil }
            device = status.st_dev
            inode = status.st_ino
            isSocket = FileKind(mode: UInt64(status.st_mode)) == .socket
        }
    }

    /// Notes the file that has just been made; `nil` if it is gone already.
    init?(at path: FilePath) {
        guard let identity = Identity(of: path), identity.isSocket else { return nil }
        self.identity = identity
        self.path = path.isAbsolute ? path : Self.workingDirectory.appending(path.components)
    }

    private static var workingDirectory: FilePath {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let base = buffer.baseAddress, unsafe getcwd(base, buffer.count) != nil else { return "." }
            return unsafe FilePath(platformString: base)
        }
    }

    /// Whether the path is still the file's.
    var isInPlace: Bool { Identity(of: path) == identity }

    /// Removes the file, unless another has taken its place. To be called while the socket is open.
    func remove() {
        if isInPlace { _ = unsafe path.withPlatformString { unsafe unlink($0) } }
    }

    // MARK: Files that were left behind

    /// Removes a socket's file if nobody listens on it any more.
    ///
    /// - Throws: ``UVError`` with `.addressInUse` if somebody listens or the file is no socket for connections, and what the
    ///   system refuses.
    static func removeStale(at path: FilePath, _ address: LocalAddress) throws(UVError) {
        let inUse = UVError(.addressInUse, in: "bind", of: path.string)
        guard let found = Identity(of: path) else { return }
        guard found.isSocket, try !hasListener(address) else { throw inUse }
        // Another server may do the same right now, and its new file must not go. So the file is moved aside in one step, looked
        // at, and moved back if it is not the one that was found.
        let aside = path.appendingText(".stale")
        guard
            unsafe path.withPlatformString({ path in
                unsafe aside.withPlatformString { unsafe cplatform_rename_to_free_name(path, $0) }
            }) == 0
        else {
            let code = UVError.Code.lastSystemError
            if code == .noSuchFileOrDirectory { return }
            throw UVError(code, in: "bind", of: path.string)
        }
        // Its server may have begun to listen meanwhile. Where the longer name has no room in an address, nobody can ask.
        let isAlive =
            try (try? LocalAddress(path: aside)).map { aside throws(UVError) in try hasListener(aside) } ?? false
        if Identity(of: aside) == found, !isAlive {
            _ = unsafe aside.withPlatformString { unsafe unlink($0) }
            return
        }
        _ = unsafe aside.withPlatformString { aside in
            unsafe path.withPlatformString { unsafe cplatform_rename_to_free_name(aside, $0) }
        }
        throw inUse
    }

    /// Whether a connect is taken, or refused for another reason than that nobody listens.
    private static func hasListener(_ address: LocalAddress) throws(UVError) -> Bool {
        let socket = cplatform_socket(AF_UNIX, streamSocketType)
        try checkSystem(socket, "bind", of: address.description)
        defer { FileDescriptor(rawValue: socket).closeIgnoringErrors() }
        let status = unsafe try address.withSockaddr("bind") { unsafe systemConnect(socket, $0, $1) }
        return status == 0 || errno != ECONNREFUSED
    }
}
