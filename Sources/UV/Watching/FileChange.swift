public import SystemPackage

/// Something that has happened to a file or directory that is watched: see ``TreeWatcher``.
public struct FileChange: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// It is there, and was not before. Of a directory all that is in it is told as well.
        case created
        /// The content is another one, also because another file took the name.
        case modified
        /// It is no longer there. Of a directory that was moved away only the directory itself is told.
        case removed
        /// It had this path before. What is in a directory moves with it.
        case renamed(from: FilePath)
        /// Permissions, owner, times, number of names; told only if they are asked for.
        case metadata
        /// Changes were lost, because more came than there is room for: anything below the path may have changed. The watch
        /// goes on without a gap from here.
        case overflow
    }

    /// What has happened.
    public var kind: Kind
    /// Begins with the path that is watched, as it was given.
    public var path: FilePath
    /// Whether it is, or was, a directory. A symbolic link is none, wherever it leads.
    public var isDirectory: Bool

    /// A change, for tests.
    public init(_ kind: Kind, _ path: FilePath, isDirectory: Bool = false) {
        self.kind = kind
        self.path = path
        self.isDirectory = isDirectory
    }
}

extension FileChange: CustomStringConvertible {
    /// For people: `renamed docs/b from docs/a`.
    public var description: String {
        let name = isDirectory ? "\(path)/" : "\(path)"
        return switch kind {
        case .created: "created \(name)"
        case .modified: "modified \(name)"
        case .removed: "removed \(name)"
        case .renamed(let old): "renamed \(name) from \(old)"
        case .metadata: "metadata of \(name)"
        case .overflow: "changes lost below \(name)"
        }
    }
}
