import Foundation
public import SystemPackage

/// Runs a body with a new folder for the files of local sockets, whose path is short.
public func inSocketFolder<Value>(_ body: (FilePath) throws -> Value) throws -> Value {
    var name = Array("/tmp/uv-local-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&name) != nil else { throw Errno(rawValue: errno) }
    let folder = FilePath(platformString: name)
    defer { try? FileManager.default.removeItem(atPath: folder.string) }
    return try body(folder)
}

/// What is in a folder, sorted.
public func names(in folder: FilePath) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.string).sorted()
}

/// Plain local sockets: the foreign peers of the tests.
extension FileDescriptor {
    /// Binds a socket to a path, and listens if there is a backlog.
    public static func localSocket(
        at path: FilePath, backlog: CInt? = 16, datagrams: Bool = false
    ) throws -> FileDescriptor {
        let made = try checked(socket(AF_UNIX, CInt((datagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue), 0))
        unsafe try withAddress(path) { unsafe bind(made.rawValue, $0, $1) }
        if let backlog { _ = try checked(listen(made.rawValue, backlog)) }
        return made
    }

    public static func localConnection(to path: FilePath) throws -> FileDescriptor {
        let made = try checked(socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0))
        do { unsafe try withAddress(path) { unsafe connect(made.rawValue, $0, $1) } } catch {
            try? made.close()
            throw error
        }
        return made
    }

    /// The number of the file or socket in the kernel, the same for all descriptors of it.
    public var inode: UInt64 { inodeNumber(of: rawValue) }
}

private func inodeNumber(of descriptor: CInt) -> UInt64 {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
}

private func withAddress(_ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) throws {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.string.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let result = unsafe withUnsafePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard result == 0 else { throw Errno(rawValue: errno) }
}

private func checked(_ result: CInt) throws -> FileDescriptor {
    guard result >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: result)
}
