internal import CLibuv
public import SystemPackage
internal import Synchronization

/// A descriptor that another process has sent. It is closed with the last reference, unless somebody has taken it.
///
/// On any thread.
public final class PassedDescriptor: Sendable {
    /// What a descriptor stands for.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        /// For people: `TCP connection`.
        public let description: String
        /// A connection of TCP.
        public static let tcpConnection = Kind(description: "TCP connection")
        /// A socket of TCP that listens.
        public static let tcpListener = Kind(description: "TCP listener")
        /// A connection of local sockets.
        public static let localConnection = Kind(description: "local connection")
        /// A local socket that listens.
        public static let localListener = Kind(description: "local listener")
        /// A socket for datagrams, of any family.
        public static let datagramSocket = Kind(description: "datagram socket")
        /// Something else: a file, a pipe, a socket of another kind, a descriptor that was taken.
        public static let other = Kind(description: "descriptor")
    }

    private let descriptor: Mutex<CInt>
    /// What the descriptor stood for when it came.
    public let kind: Kind

    /// Takes a descriptor over: it is closed with the last reference.
    public init(_ descriptor: FileDescriptor) {
        self.descriptor = Mutex(descriptor.rawValue)
        kind = Self.kind(of: descriptor.rawValue)
    }

    deinit { take()?.closeIgnoringErrors() }

    /// Hands the descriptor over to the caller, who closes it; `nil` for each later call. It is closed on exec.
    public func take() -> FileDescriptor? {
        let taken = descriptor.withLock { descriptor in
            defer { descriptor = -1 }
            return descriptor
        }
        return taken < 0 ? nil : FileDescriptor(rawValue: taken)
    }

    /// Hands the descriptor over to a body; it stays here if the body throws.
    ///
    /// - Throws: What the body throws; ``UVError`` with `.badFileDescriptor` when somebody has taken it.
    package func give<Value>(
        _ operation: StaticString, to body: (FileDescriptor) throws(UVError) -> Value
    ) throws(UVError) -> Value {
        guard let taken = take() else {
            throw UVError(.badFileDescriptor, in: operation.description, of: "a passed descriptor that was taken")
        }
        do throws(UVError) { return try body(taken) } catch {
            descriptor.withLock { $0 = taken.rawValue }
            throw error
        }
    }

    private static func kind(of descriptor: CInt) -> Kind {
        guard let type = SocketOption.type(of: descriptor) else { return .other }
        if type == datagramSocketType { return .datagramSocket }
        guard type == streamSocketType else { return .other }
        let listens = SocketOption.listens(descriptor)
        switch SocketOption.family(of: descriptor) {
        case AF_INET, AF_INET6: return listens ? .tcpListener : .tcpConnection
        case AF_UNIX: return listens ? .localListener : .localConnection
        default: return .other
        }
    }
}

extension PassedDescriptor: CustomStringConvertible {
    /// For people: `passed TCP connection`.
    public var description: String { "passed \(kind)" }
}
