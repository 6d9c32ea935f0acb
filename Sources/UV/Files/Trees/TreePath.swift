internal import SystemPackage
internal import UVPlatform

/// The directories from a tree's root down to the one that is worked on. The lowest 32 have descriptors.
struct TreePath {
    /// For errors.
    let operation: String
    /// Whether the names in the directories are asked for.
    let isListed: Bool
    private(set) var directories: [TreeDirectory] = []

    init(_ operation: StaticString, isListed: Bool) {
        self.operation = operation.description
        self.isListed = isListed
    }

    var lowest: TreeDirectory? { directories.last }

    /// The next name in the lowest directory, `nil` at the end.
    func next() throws(UVError) -> TreeDirectory.Entry? {
        guard let lowest else { return nil }
        if let entry = lowest.next() { return entry }
        if errno != 0 { throw failure(path()) }
        return nil
    }

    mutating func enter(_ directory: TreeDirectory) throws(UVError) {
        directories.append(directory)
        guard directories.count > 32 else { return }
        if !directories[directories.count - 33].park(isListed: isListed) { throw failure(path()) }
    }

    /// Descriptor of the directory that the lowest is in: to be asked for before the lowest is left.
    func parentOfLowest() throws(UVError) -> CInt {
        guard directories.count > 1, let lowest else { return AT_FDCWD }
        let parent = directories[directories.count - 2]
        if !parent.unpark(from: lowest) { throw failure(path()) }
        return parent.descriptor
    }

    mutating func leave() { directories.removeLast() }

    /// The path of the lowest directory, or of a name in it.
    ///
    /// Put together from bytes: deep trees have long paths, which `FilePath` would copy and check for each name.
    func path(_ name: FilePath? = nil) -> FilePath {
        var bytes: [CChar] = []
        for name in directories.map(\.name) + (name.map { [$0] } ?? []) {
            if let last = bytes.last, last != 0x2f { bytes.append(0x2f) }
            unsafe name.withPlatformString { unsafe bytes += UnsafeBufferPointer(start: $0, count: name.length) }
        }
        bytes.append(0)
        return FilePath(platformString: bytes)
    }

    /// From `errno`. The path is made before anything can change that.
    func failure(_ path: @autoclosure () -> FilePath) -> UVError {
        let code = UVError.Code.lastSystemError
        return UVError(code, in: operation, of: path().string)
    }
}
