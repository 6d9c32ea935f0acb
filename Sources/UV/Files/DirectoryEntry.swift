internal import CLibuv
public import SystemPackage

/// A name in a directory. The bytes are the file system's, UTF-8 or not.
public struct DirectoryEntry: Hashable, Sendable {
    /// The name in its directory, without a path.
    public var name: FilePath.Component
    /// `.unknown` where the file system does not say.
    public var kind: FileKind

    init?(_ raw: uv_dirent_t) { unsafe self.init(raw.name, FileKind(raw.type)) }

    init?(_ entry: TreeDirectory.Entry) { unsafe self.init(entry.name, entry.kind) }

    private init?(_ name: UnsafePointer<CChar>, _ kind: FileKind) {
        // An odd file system's empty name, or one with a slash, must not lead anywhere.
        guard let name = unsafe FilePath.Component(platformString: name), name.kind == .regular else { return nil }
        self.name = name
        self.kind = kind
    }
}
