public import SystemPackage

/// Watches a directory and all that is below it, or a file by its path, and calls a closure with what has changed.
///
/// It has a descriptor of its own for what the system tells (inotify), because `uv_fs_event_t` leaves out what is needed here:
/// which two halves make a renaming, and that changes were lost.
///
/// * A directory that appears is watched, and what was in it before that is told as well. Symbolic links are not followed, but
///   for one as the path itself.
/// * Changes are added up: of each path the outcome is told. A file that a new one takes the place of, as editors save, is
///   modified; temporary files that are gone again are nothing.
/// * A file is watched by its path: it may be removed, replaced and made again.
/// * When changes come faster than they are taken, or there are too many, `.overflow` is told; all directories are looked at
///   again, and what has appeared, disappeared or has a new time is told as far as it can be seen.
/// * A directory that may not be read is a problem, and the watch goes on without it. When the system has no more watches for
///   the user, the watch ends with ``UVError`` `.noSpace` that names the limit, because nobody would know what is not watched.
///
/// It keeps the names that it watches, about 160 bytes each. Volumes of other computers tell only what this one does.
public final class TreeWatcher {
    /// What is watched, and how it is told.
    public struct Options: Sendable {
        /// Whether directories below the directory are watched as well.
        public var isRecursive = true
        /// Whether changes of permissions, owner, times and number of names are told.
        public var includesMetadata = false
        /// How long it has to be quiet before changes are told, at the most ten times as long after the first one. With zero
        /// they are told at once, and what an editor does in several steps may be several changes.
        public var debounce = Duration.milliseconds(50)
        /// How many paths may have changes that are not told yet; with more, all are one `.overflow`.
        public var limit = 65_536
        /// Paths that are of no interest, with all that is below them; they take no watches. It begins with the path that is
        /// watched, and is called on any thread.
        public var ignoring: (@Sendable (FilePath) -> Bool)?

        /// The options that each property names.
        public init() {}
    }

    /// What a watcher tells.
    public enum Event: Sendable {
        /// The watch is complete: all changes from now on are told.
        case ready
        /// Something has changed.
        case changes([FileChange])
        /// A directory is not watched, for example because it may not be read.
        case problem(UVError)
        /// The last event. The error is `nil` when what is watched was removed or has another name, which has been told; it
        /// is `.canceled` when the loop ends.
        case ended(UVError?)
    }

    /// The loop that the watcher lives on.
    public let loop: Loop
    /// What is watched, as it was given.
    public var path: FilePath { tree.path }

    private let tree: WatchedTree
    private let poll: PollHandle
    private let timer: TimerHandle
    private var onEvent: ((TreeWatcher, Event) -> Void)?
    /// A thread is looking at directories: the tree is its.
    private var look: LookRequest?
    /// Whether changes are due as soon as the thread has finished.
    private var isDue = false
    /// When the first of the changes came that are not told yet.
    private var firstChange: Duration?

    /// Begins to watch. The watcher lives until ``close()`` or its last event, whether or not somebody keeps it.
    ///
    /// - Parameter onEvent: Called on the loop's thread, never before the watcher has been returned.
    /// - Throws: ``UVError`` with `.tooManyOpenFiles` and the name of the limit, `.notSupported` where the system cannot watch
    ///   trees. What is found out later comes as the last event: `.noSuchFileOrDirectory`, `.permissionDenied`, `.noSpace`, ….
    public init(
        at path: FilePath, options: Options = Options(), on loop: Loop, file: StaticString = #fileID,
        line: UInt = #line, _ onEvent: @escaping (TreeWatcher, Event) -> Void
    ) throws(UVError) {
        guard let hold = options.debounce.wholeMilliseconds, hold < 1 << 40, options.limit > 0 else {
            throw UVError(.invalidArgument, in: "watch", of: "\(path) with \(options.debounce) and \(options.limit)")
        }
        tree = try WatchedTree(path, options)
        self.loop = loop
        poll = try PollHandle(on: loop, borrowing: tree.descriptor.rawValue, file, line)
        poll.isInternal = false
        poll.label = "watch of \(path)"
        do throws(UVError) { timer = try TimerHandle(on: loop) } catch {
            poll.close()
            throw error
        }
        timer.isInternal = true
        self.onEvent = onEvent
        // Whoever closes it: the loop's end as well.
        poll.whenClosed { [self] _ in end(.ended(UVError(.canceled, in: "watch", of: path.string))) }
        do throws(UVError) { try beginLook() } catch {
            close()
            throw error
        }
    }

    /// Ends the watch: the closure is not called any more. Closing twice is harmless.
    public func close() {
        onEvent = nil
        timer.close()
        poll.close()
        try? look?.cancel()
    }

    /// How many directories are watched; 0 while a thread looks for them.
    public var watchCount: Int { look == nil ? tree.watches.count : 0 }

    /// Whether the loop runs on for this watcher.
    public var keepsLoopAlive: Bool {
        get { poll.keepsLoopAlive }
        set {
            poll.keepsLoopAlive = newValue
            timer.keepsLoopAlive = newValue
        }
    }

    private var isOver: Bool { onEvent == nil }

    /// Tells the last event.
    private func end(_ event: Event) {
        guard let call = onEvent else { return }
        close()
        call(self, event)
    }

    // MARK: Looking

    private func beginLook() throws(UVError) {
        poll.stop()
        let request = LookRequest(on: loop)
        let began = FileTime.now
        try request.begin("watch", tree, onProgress: nil) { [self] result in
            look = nil
            tree.endLook(begun: began)
            // Whoever has closed the handle hears of the end soon.
            if isOver || poll.isClosing { return }
            switch result {
            case .failure(let error): end(.ended(error))
            case .success: looked()
            }
        }
        look = request
    }

    private func looked() {
        let isFirst = !tree.hasBegun
        tree.hasBegun = true
        if isFirst { onEvent?(self, .ready) }
        let problems = tree.problems
        tree.problems = []
        for problem in problems { onEvent?(self, .problem(problem)) }
        goOn()
    }

    /// Waits for what comes next, on the loop's thread.
    private func goOn() {
        if isOver || poll.isClosing { return }
        if tree.isGone { return endGone() }
        do throws(UVError) {
            if tree.toLookAt.isEmpty {
                if !poll.isActive { try poll.start(.readable) { [unowned self] _, _ in read() } }
            } else {
                try beginLook()
            }
        } catch { return end(.ended(error)) }
        if isDue, look == nil { deliver() } else { schedule() }
    }

    private func endGone() {
        tree.ledger.removed(path, isDirectory: tree.onlyName == nil)
        onEvent?(self, .changes(tree.ledger.take()))
        end(.ended(nil))
    }

    private func read() {
        unsafe withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 16) { unsafe tree.read(into: $0) }
        goOn()
    }

    // MARK: Telling

    /// Has changes told when it has been quiet for long enough.
    private func schedule() {
        if look != nil { return }
        if tree.ledger.isEmpty && tree.halves.isEmpty { return }
        let now = Loop.hrtime
        let first = firstChange ?? now
        firstChange = first
        let hold = tree.halves.isEmpty ? tree.options.debounce : max(tree.options.debounce, WatchedTree.patience)
        let delay = min(hold, max(.zero, first + hold * 10 - now))
        if delay == .zero { return deliver() }
        do throws(UVError) { try timer.start(after: delay) { [unowned self] _ in deliver() } } catch {
            end(.ended(error))
        }
    }

    private func deliver() {
        // A thread has the tree.
        if look != nil { return isDue = true }
        isDue = false
        firstChange = nil
        timer.stop()
        tree.settleHalves()
        let changes = tree.ledger.take()
        if !changes.isEmpty { onEvent?(self, .changes(changes)) }
        if !isOver, !tree.halves.isEmpty { schedule() }
    }
}

@available(*, unavailable, message: "a watcher belongs to its loop's thread")
extension TreeWatcher: Sendable {}

/// Looks for directories that are to be watched.
final class LookRequest: PoolRequest {}
