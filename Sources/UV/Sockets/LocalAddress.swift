internal import CLibuv
public import SystemPackage
internal import UVPlatform

/// The address of a local socket (Unix domain): a path in the file system, a name in the kernel's abstract namespace (Linux), or
/// none at all, which is what most clients have.
///
/// Reads like `/run/service.sock`, `@service` for an abstract name, or `unnamed`.
public struct LocalAddress: Hashable, Sendable {
    private enum Storage: Hashable, Sendable {
        case unnamed
        case path([UInt8])
        case abstract([UInt8])
    }

    private let storage: Storage

    /// The most bytes that the system has room for, without a NUL at the end of a path: 107 on Linux.
    public static let longestName = MemoryLayout<sockaddr_un>.size - nameOffset - 1

    private static let nameOffset = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2

    /// A socket without an address.
    public static let unnamed = LocalAddress(storage: .unnamed)

    private init(storage: Storage) { self.storage = storage }

    /// A socket in the file system.
    ///
    /// - Throws: ``UVError`` with `.fileNameTooLong` for more bytes than ``longestName``, which others would silently cut,
    ///   `.noSuchFileOrDirectory` for an empty path.
    public init(path: FilePath) throws(UVError) {
        let bytes = unsafe path.withPlatformString {
            unsafe UnsafeBufferPointer(start: $0, count: path.length).map { UInt8(bitPattern: $0) }
        }
        if bytes.isEmpty { throw UVError(.noSuchFileOrDirectory, in: "local address", of: "an empty path") }
        try Self.checkLength(bytes.count, path.string)
        storage = .path(bytes)
    }

    /// A socket in the file system, by a path from somebody else. Otherwise as ``init(path:)``.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for a path with a NUL.
    public init(path: String) throws(UVError) { try self.init(path: FilePath(validating: path)) }

    /// A name in the kernel's abstract namespace, which has no file and is free when its socket is closed. Every user of the
    /// network namespace can connect to it. Linux only: elsewhere `bind` and `connect` throw.
    ///
    /// - Throws: ``UVError`` with `.fileNameTooLong` for more bytes than ``longestName``, `.invalidArgument` for an empty name.
    public init(abstract name: String) throws(UVError) { try self.init(abstract: Array(name.utf8)) }

    /// A name of any bytes, NUL too. Otherwise as ``init(abstract:)-(String)``.
    public init(abstract name: [UInt8]) throws(UVError) {
        if name.isEmpty { throw UVError(.invalidArgument, in: "local address", of: "an empty abstract name") }
        try Self.checkLength(name.count, "@" + String(decoding: name, as: UTF8.self))
        storage = .abstract(name)
    }

    private static func checkLength(_ count: Int, _ name: String) throws(UVError) {
        if count > longestName { throw UVError(.fileNameTooLong, in: "local address", of: name) }
    }

    /// The path of a socket in the file system. A relative one is relative to the directory of the process that bound it.
    public var path: FilePath? {
        guard case .path(let bytes) = storage else { return nil }
        return unsafe FilePath(platformString: bytes.map { CChar(bitPattern: $0) } + [0])
    }

    /// The name of a socket in the abstract namespace.
    public var abstractName: [UInt8]? {
        if case .abstract(let name) = storage { name } else { nil }
    }

    /// Whether the socket has no address.
    public var isUnnamed: Bool { storage == .unnamed }

    // MARK: For the system

    /// Reads an address that the system has filled in; `nil` for another family.
    init?(_ storage: inout sockaddr_storage, size: socklen_t) {
        guard CInt(storage.ss_family) == AF_UNIX else { return nil }
        let name = unsafe withUnsafeBytes(of: &storage) { bytes -> [UInt8] in
            unsafe Array(bytes[min(Self.nameOffset, Int(size))..<min(Int(size), MemoryLayout<sockaddr_un>.size)])
        }
        self.init(name: name)
    }

    /// Takes the bytes of a name as the system has them: an abstract name begins with a NUL.
    init(name: [UInt8]) {
        guard let first = name.first else {
            storage = .unnamed
            return
        }
        if first != 0 {
            storage = .path(Array(name.prefix { $0 != 0 }))
        } else {
            #if os(Linux)
            storage = name.count == 1 ? .unnamed : .abstract(Array(name.dropFirst()))
            #else
            storage = .unnamed
            #endif
        }
    }

    /// Lends the address in the system's form.
    ///
    /// - Throws: ``UVError`` with `.notSupported` for an abstract name where there are none, `.destinationAddressRequired` for
    ///   no address.
    func withSockaddr<Result>(
        _ operation: StaticString, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(UVError) -> Result {
        var form = sockaddr_un()
        let name: [UInt8]
        switch storage {
        case .unnamed:
            throw UVError(.destinationAddressRequired, in: operation.description, of: "an unnamed local socket")
        case .path(let bytes): name = bytes + [0]
        case .abstract(let bytes):
            #if os(Linux)
            name = [0] + bytes
            #else
            throw UVError(.notSupported, in: operation.description, of: description)
            #endif
        }
        form.sun_family = sa_family_t(AF_UNIX)
        let size = Self.nameOffset + name.count
        #if canImport(Darwin)
        form.sun_len = UInt8(size)
        #endif
        unsafe withUnsafeMutableBytes(of: &form) { bytes in
            for (index, byte) in name.enumerated() { unsafe bytes[Self.nameOffset + index] = byte }
        }
        return unsafe withUnsafePointer(to: &form) { form in
            unsafe form.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(size)) }
        }
    }
}

extension LocalAddress: CustomStringConvertible {
    public var description: String {
        switch storage {
        case .unnamed: "unnamed"
        case .path(let bytes): String(decoding: bytes, as: UTF8.self)
        // A NUL would end the line in some terminals.
        case .abstract(let name): "@" + String(decoding: name.map { $0 == 0 ? UInt8(ascii: "@") : $0 }, as: UTF8.self)
        }
    }
}
