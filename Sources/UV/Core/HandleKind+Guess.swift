internal import CLibuv
public import SystemPackage

extension Handle.Kind {
    /// A terminal.
    public static let terminal = Self(name: "tty")
    /// A pipe or a local socket.
    public static let pipe = Self(name: "pipe")
    /// A TCP socket.
    public static let tcp = Self(name: "tcp")
    /// A UDP socket.
    public static let udp = Self(name: "udp")
    /// A regular file, or a device that is no terminal.
    public static let file = Self(name: "file")
    /// Anything else: a directory, an `epoll` descriptor, a closed descriptor.
    public static let unknown = Self(name: "unknown")

    /// The kind of handle that a descriptor is for. Calls `uv_guess_handle`.
    public init(guessedFor descriptor: FileDescriptor) {
        let type = uv_guess_handle(descriptor.rawValue)
        self = unsafe uv_handle_type_name(type).map { unsafe Self(name: String(cString: $0)) } ?? .unknown
    }
}
