internal import SystemPackage

/// Adds up what happened to each path since the ledger was taken last, so that only the outcome is told: a file that was made and
/// removed again is nothing, and one that a new file took the place of is modified, however an editor does that.
struct ChangeLedger {
    /// What is known of a path.
    struct State {
        /// Whether something had the path when the ledger was taken last.
        let existed: Bool
        var exists: Bool
        /// The path that what is there now had at that time; `nil` for something new.
        var origin: FilePath?
        var isModified = false
        var hasOtherMetadata = false
        var isDirectory: Bool
    }

    private let root: FilePath
    /// How many paths it has room for.
    private let limit: Int
    private var states: [FilePath: State] = [:]
    /// In the order of their first change.
    private var order: [FilePath] = []
    private var hasOverflown = false

    init(_ root: FilePath, limit: Int) {
        self.root = root
        self.limit = limit
    }

    var isEmpty: Bool { states.isEmpty && !hasOverflown }

    mutating func overflow() { hasOverflown = true }

    mutating func created(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: false, isDirectory) {
            $0.exists = true
            $0.origin = nil
            $0.isModified = true
        }
    }

    /// Something new has taken the place of what had the path.
    mutating func replaced(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: true, isDirectory) {
            $0.exists = true
            $0.origin = nil
            $0.isModified = true
        }
    }

    mutating func modified(_ path: FilePath) { change(path, existed: true, false) { $0.isModified = true } }

    mutating func metadata(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: true, isDirectory) { $0.hasOtherMetadata = true }
    }

    mutating func removed(_ path: FilePath, isDirectory: Bool) {
        change(path, existed: true, isDirectory) {
            $0.exists = false
            $0.origin = nil
        }
    }

    /// What is known of something that is about to be renamed.
    func state(of path: FilePath, isDirectory: Bool) -> State {
        states[path] ?? State(existed: true, exists: true, origin: path, isDirectory: isDirectory)
    }

    /// Something has a new path. It has been noted as removed from the old one.
    ///
    /// - Parameter state: What was known of it before.
    /// - Parameter replacing: Whether something had the new path.
    mutating func renamed(_ state: State, from old: FilePath, to new: FilePath, replacing: Bool) {
        change(new, existed: replacing, state.isDirectory) {
            $0.exists = true
            $0.origin = state.origin
            $0.isModified = state.isModified
            $0.hasOtherMetadata = state.hasOtherMetadata
        }
        if state.isDirectory { moveAll(below: old, to: new) }
    }

    /// What happened in a directory happened in the same directory with its new name.
    private mutating func moveAll(below old: FilePath, to new: FilePath) {
        let moving = order.filter { $0 != old && $0.starts(with: old) }
        if moving.isEmpty { return }
        order.removeAll { $0 != old && $0.starts(with: old) }
        for path in moving {
            guard var state = states.removeValue(forKey: path) else { continue }
            let name = new.appending(path.components.dropFirst(old.components.count))
            if state.origin == path { state.origin = name }
            if states.updateValue(state, forKey: name) == nil { order.append(name) }
        }
    }

    /// Forgets what happened in a directory that is gone as a whole.
    mutating func forget(below directory: FilePath) {
        let gone = order.filter { $0 != directory && $0.starts(with: directory) }
        if gone.isEmpty { return }
        order.removeAll { $0 != directory && $0.starts(with: directory) }
        for path in gone { states[path] = nil }
    }

    private mutating func change(
        _ path: FilePath, existed: Bool, _ isDirectory: Bool, _ body: (inout State) -> Void
    ) {
        if var state = states[path] {
            body(&state)
            if state.exists { state.isDirectory = isDirectory || (state.isDirectory && state.origin != nil) }
            states[path] = state
            return
        }
        guard order.count < limit else {
            // Room is made for what comes: the one message stands for all.
            states = [:]
            order = []
            hasOverflown = true
            return
        }
        var state = State(existed: existed, exists: existed, origin: existed ? path : nil, isDirectory: isDirectory)
        body(&state)
        states[path] = state
        order.append(path)
    }

    /// The outcome, in the order of first changes. The ledger is empty afterwards.
    mutating func take() -> [FileChange] {
        var changes: [FileChange] = []
        if hasOverflown { changes.append(FileChange(.overflow, root, isDirectory: true)) }
        var moved: Set<FilePath> = []
        for (path, state) in states where state.exists {
            if let origin = origin(of: state, at: path) { moved.insert(origin) }
        }
        for path in order {
            guard let state = states[path] else { continue }
            if let kind = outcome(state, path, moved) { changes.append(FileChange(kind, path, isDirectory: state.isDirectory)) }
            if state.isModified, state.exists, origin(of: state, at: path) != nil {
                changes.append(FileChange(.modified, path, isDirectory: state.isDirectory))
            }
        }
        states = [:]
        order = []
        hasOverflown = false
        return changes
    }

    /// The path that something was moved from, if nothing has that path any more.
    private func origin(of state: State, at path: FilePath) -> FilePath? {
        guard let origin = state.origin, origin != path, states[origin]?.exists == false else { return nil }
        return origin
    }

    private func outcome(_ state: State, _ path: FilePath, _ moved: Set<FilePath>) -> FileChange.Kind? {
        guard state.exists else { return state.existed && !moved.contains(path) ? .removed : nil }
        if let origin = origin(of: state, at: path) { return .renamed(from: origin) }
        if !state.existed { return .created }
        if state.isModified || state.origin != path { return .modified }
        return state.hasOtherMetadata ? .metadata : nil
    }
}
