internal import SystemPackage

/// Adds up what happened to each path since the ledger was taken last, so that only the outcome is told: a file that was made and
/// removed again is nothing, and one that a new file took the place of is modified, however an editor does that.
///
/// What happened before a directory disappeared or got another name is told before that is, and not added up with what follows:
/// paths below have another meaning from there on.
struct ChangeLedger {
    /// What is known of a path.
    struct State {
        /// Whether something had the path before, and whether that was a directory.
        let existed: Bool
        let wasDirectory: Bool
        var exists: Bool
        var isDirectory: Bool
        /// The path that what is there now had before; `nil` for something new.
        var origin: FilePath?
        var isModified = false
        var hasOtherMetadata = false
    }

    private let root: FilePath
    /// How many changes it has room for.
    private let limit: Int
    /// What happened before the last renaming of a directory, and that.
    private var told: [FileChange] = []
    private var states: [FilePath: State] = [:]
    /// In the order of their first change.
    private var order: [FilePath] = []
    private var hasOverflown = false

    init(_ root: FilePath, limit: Int) {
        self.root = root
        self.limit = limit
    }

    var isEmpty: Bool { told.isEmpty && states.isEmpty && !hasOverflown }

    mutating func overflow() { hasOverflown = true }

    // MARK: Noting

    mutating func created(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: false, isDirectory) {
            $0.exists = true
            $0.isDirectory = isDirectory
            $0.origin = nil
            $0.isModified = true
        }
    }

    mutating func modified(_ path: FilePath) { change(path, existed: true, false) { $0.isModified = true } }

    mutating func metadata(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: true, isDirectory) { $0.hasOtherMetadata = true }
    }

    mutating func removed(_ path: FilePath, isDirectory: Bool) {
        if isDirectory, states[path]?.existed ?? true { settle() }
        change(path, existed: true, isDirectory) {
            $0.exists = false
            $0.origin = nil
        }
    }

    /// What is known of a file that is about to be renamed.
    func state(ofFile path: FilePath) -> State {
        states[path] ?? State(existed: true, wasDirectory: false, exists: true, isDirectory: false, origin: path)
    }

    /// A file has a new path. It has been noted as removed from the old one, and what had the new one, too.
    ///
    /// - Parameter state: What was known of it before.
    mutating func renamedFile(_ state: State, to new: FilePath) {
        change(new, existed: false, false) {
            $0.exists = true
            $0.isDirectory = false
            $0.origin = state.origin
            $0.isModified = state.isModified
            $0.hasOtherMetadata = state.hasOtherMetadata
        }
    }

    /// A directory has lost its path, and perhaps gets another one.
    mutating func directoryLeaves(_ path: FilePath) {
        settle()
        removed(path, isDirectory: true)
    }

    /// A directory has a new path. It has been noted as removed from the old one.
    ///
    /// - Returns: False, with nothing noted, if the old path has been used again since, or its removal has been told.
    mutating func renamedDirectory(from old: FilePath, to new: FilePath) -> Bool {
        guard let state = states[old], state.existed, !state.exists else { return false }
        states[old] = nil
        order.removeAll { $0 == old }
        settle()
        told.append(FileChange(.renamed(from: old), new, isDirectory: true))
        return true
    }

    private mutating func change(
        _ path: FilePath, existed: Bool, _ isDirectory: Bool, _ body: (inout State) -> Void
    ) {
        if let index = states.index(forKey: path) { return body(&states.values[index]) }
        if order.count + told.count >= limit {
            // The one message stands for all.
            (told, states, order) = ([], [:], [])
            hasOverflown = true
            return
        }
        var state = State(
            existed: existed, wasDirectory: isDirectory, exists: existed, isDirectory: isDirectory,
            origin: existed ? path : nil)
        body(&state)
        states[path] = state
        order.append(path)
    }

    // MARK: Telling

    /// The outcome, in an order in which it may have happened. The ledger is empty afterwards.
    mutating func take() -> [FileChange] {
        settle()
        let overflow = hasOverflown ? [FileChange(.overflow, root, isDirectory: true)] : []
        let changes = told
        told = []
        hasOverflown = false
        return overflow + changes
    }

    private mutating func settle() {
        var moved: Set<FilePath> = []
        for (path, state) in states where state.exists {
            if let origin = origin(of: state, at: path) { moved.insert(origin) }
        }
        for path in order {
            guard let state = states[path] else { continue }
            if !state.exists {
                if state.existed, !moved.contains(path) { tell(.removed, path, state.wasDirectory) }
                continue
            }
            var isNew = !state.existed
            if state.existed, state.origin != path, state.wasDirectory || state.isDirectory {
                tell(.removed, path, state.wasDirectory)
                isNew = true
            }
            if let origin = origin(of: state, at: path) {
                tell(.renamed(from: origin), path, state.isDirectory)
                if state.isModified { tell(.modified, path, state.isDirectory) }
            } else if isNew {
                tell(.created, path, state.isDirectory)
            } else if state.isModified || state.origin != path {
                tell(.modified, path, state.isDirectory)
            } else if state.hasOtherMetadata {
                tell(.metadata, path, state.isDirectory)
            }
        }
        states = [:]
        order = []
    }

    private mutating func tell(_ kind: FileChange.Kind, _ path: FilePath, _ isDirectory: Bool) {
        told.append(FileChange(kind, path, isDirectory: isDirectory))
    }

    /// The path that a file was moved from, if nothing has that path any more.
    private func origin(of state: State, at path: FilePath) -> FilePath? {
        guard let origin = state.origin, origin != path, states[origin]?.exists == false else { return nil }
        return origin
    }
}
