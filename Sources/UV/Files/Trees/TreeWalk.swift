internal import Synchronization
public import SystemPackage
internal import UVPlatform

/// Something that a walk has found below the directory where it began.
public struct TreeEntry: Hashable, Sendable {
    /// Begins with the path that the walk was given. It may be longer than the paths that the system takes.
    public var path: FilePath
    /// What it is; links are told as links.
    public var kind: FileKind
    /// How many directories lie between: 0 for what is directly in the first.
    public var depth: Int
}

/// A walk through all that is in a directory and in those below it: each directory before its content, by name.
///
/// Symbolic links are not followed, but for one as the path that was given, nor what others exchange for links meanwhile: all is
/// done relative to open directories, at most 32 at a time.
public final class TreeWalk: Sendable {
    /// What comes next in a walk.
    public struct Part: Sendable {
        /// The last one may be a directory, which is read for the next part.
        public var entries: [TreeEntry] = []
        /// A directory that could not be read, behind the entries. The walk goes on without it.
        public var problem: (path: FilePath, error: UVError)?
        /// Whether the walk has come to its end.
        public var isLast = false

        /// A part with nothing in it.
        public init() {}
    }

    fileprivate struct State: ~Copyable {
        var tree = TreePath("walk", isListed: true)
        /// Of the directories in the tree.
        var paths: [FilePath] = []
        /// The directory to be read next.
        var next: (name: FilePath, path: FilePath)?
    }

    /// Where it begins.
    let path: FilePath
    private let state: Mutex<State>

    /// A walk of the directory. Nothing is read yet.
    public init(_ path: FilePath) {
        self.path = path
        state = Mutex(State(next: (path, path)))
    }

    /// - Throws: ``UVError`` with `.resourceBusy` while another thread goes on with the walk.
    func goOn() throws(UVError) -> Part {
        guard let part = state.withLockIfAvailable({ $0.goOn() }) else {
            throw UVError(.resourceBusy, in: "walk", of: path.string)
        }
        return part
    }
}

extension TreeWalk.State {
    fileprivate mutating func goOn() -> TreeWalk.Part {
        var part = TreeWalk.Part()
        if let (name, path) = next.take() {
            do throws(UVError) { try enter(name, path) } catch { part.problem = (path, error) }
        }
        while part.problem == nil, part.entries.count < 256, let lowest = tree.lowest, let path = paths.last {
            if let entry = lowest.next() {
                guard let name = DirectoryEntry(entry)?.name else { continue }
                let kind = lowest.kind(of: entry)
                let found = TreeEntry(path: path.appending(name), kind: kind, depth: paths.count - 1)
                part.entries.append(found)
                if kind == .directory {
                    next = (FilePath(root: nil, [name]), found.path)
                    return part
                }
            } else {
                part.problem = leave()
            }
        }
        part.isLast = tree.lowest == nil
        return part
    }

    private mutating func enter(_ name: FilePath, _ path: FilePath) throws(UVError) {
        let parent = tree.lowest?.descriptor
        guard let directory = TreeDirectory(name, in: parent ?? AT_FDCWD, followingLink: parent == nil),
            directory.sortNames()
        else { throw tree.failure(path) }
        try tree.enter(directory)
        paths.append(path)
    }

    /// Goes back to the directory above.
    ///
    /// - Returns: Why the rest of that cannot be walked: it was moved meanwhile.
    private mutating func leave() -> (FilePath, UVError)? {
        var problem: (FilePath, UVError)?
        paths.removeLast()
        do throws(UVError) { _ = try tree.parentOfLowest() } catch {
            let path = paths.last ?? ""
            problem = (path, UVError(error.code, in: error.operation, of: path.string))
        }
        tree.leave()
        if problem != nil { tree.lowest?.dropNames() }
        return problem
    }
}
