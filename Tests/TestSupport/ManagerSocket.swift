import Foundation
public import SystemPackage
import UV

/// The socket at which a service manager hears what its services say.
public final class ManagerSocket: Sendable {
    public let descriptor: FileDescriptor
    /// What `NOTIFY_SOCKET` says.
    public let name: String

    /// - Parameter path: The file of the socket; `nil` makes one in the abstract namespace.
    public init(path: FilePath? = nil) throws {
        name = path?.string ?? "@manager-\(UUID())"
        let address = try path.map { try LocalAddress(path: $0) } ?? LocalAddress(abstract: String(name.dropFirst()))
        descriptor = FileDescriptor(rawValue: socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0))
        var form = sockaddr_un()
        form.sun_family = sa_family_t(AF_UNIX)
        let bytes = address.path.map { Array($0.string.utf8) } ?? [0] + (address.abstractName ?? [])
        unsafe withUnsafeMutableBytes(of: &form.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let status = unsafe withUnsafePointer(to: &form) { form in
            unsafe form.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor.rawValue, $0, size) }
        }
        if status != 0 { throw Errno(rawValue: errno) }
    }

    deinit { try? descriptor.close() }

    /// Waits for the next message.
    public func receive() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe recv(descriptor.rawValue, &bytes, bytes.count, 0)
        if count < 0 { throw Errno(rawValue: errno) }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
