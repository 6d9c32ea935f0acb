internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Looks up names below an open directory, for threads of the pool.
struct NamesBelow {
    private let directory: FileDescriptor

    init(_ directory: FileDescriptor) { self.directory = directory }

    /// Finds a file, through links.
    ///
    /// - Parameter text: What errors call it.
    /// - Returns: A descriptor that only stands for it. Somebody has to close it.
    func find(_ path: FilePath, _ operation: StaticString, _ text: String) throws(UVError) -> FileDescriptor {
        let found = unsafe path.withPlatformString { unsafe cplatform_find_below(directory.rawValue, $0, 1) }
        return FileDescriptor(rawValue: try checkSystem(found, operation, of: text))
    }

    /// Opens the directory that a name is in.
    func withParent<Value>(
        of path: FilePath, _ operation: StaticString, _ text: String,
        _ body: (_ parent: CInt, _ name: FilePath) throws(UVError) -> Value
    ) throws(UVError) -> Value {
        let name = try Self.name(of: path, operation, text)
        let parent = try findParent(of: path, operation, text)
        defer { try? parent.close() }
        return try body(parent.rawValue, name)
    }

    /// Where symbolic links lead to in the end: they stay, and what they point to is replaced, or made.
    ///
    /// - Returns: A name, which is none of a link, in a directory; `nil` in what the system makes up (/proc, /sys), which cannot be
    ///   replaced.
    func linkTarget(
        of path: FilePath, _ operation: StaticString, _ text: String
    ) throws(UVError) -> (parent: HeldDirectory, name: FilePath)? {
        var path = path
        // As many as Linux follows.
        for _ in 0..<40 {
            let name = try Self.name(of: path, operation, text)
            let parent = HeldDirectory(try findParent(of: path, operation, text))
            if cplatform_is_in_made_up(parent.descriptor.rawValue) != 0 { return nil }
            guard let target = Self.target(of: name, in: parent.descriptor.rawValue) else { return (parent, name) }
            if target.isAbsolute { throw UVError(.improperLink, in: operation.description, of: text) }
            path = path.removingLastComponent().pushing(target)
        }
        throw UVError(.tooManySymbolicLinkLevels, in: operation.description, of: text)
    }

    /// - Returns: `nil` with `errno` set, for a name of what is no link, too.
    static func target(of name: FilePath, in parent: CInt) -> FilePath? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = unsafe name.withPlatformString { unsafe readlinkat(parent, $0, start, Int(PATH_MAX)) }
            if count < 0 { return nil }
            unsafe buffer[count] = 0
            return unsafe FilePath(platformString: start)
        }
    }

    private static func name(
        of path: FilePath, _ operation: StaticString, _ text: String
    ) throws(UVError) -> FilePath {
        guard let name = path.lastComponent, name.kind == .regular else {
            throw UVError(.invalidArgument, in: operation.description, of: text)
        }
        return FilePath(root: nil, [name])
    }

    private func findParent(
        of path: FilePath, _ operation: StaticString, _ text: String
    ) throws(UVError) -> FileDescriptor {
        let parent = path.removingLastComponent()
        return try find(parent.isEmpty ? "." : parent, operation, text)
    }
}

/// A descriptor of a directory that is closed when nobody needs it any more.
final class HeldDirectory {
    let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit { try? descriptor.close() }
}
