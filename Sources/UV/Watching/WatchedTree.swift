internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// The directories of a ``TreeWatcher``, and what has happened in them.
///
/// It belongs to the loop's thread, which takes what the system tells, and to a thread of the pool while that looks for
/// directories: never to both, because the loop does not read meanwhile.
final class WatchedTree {
    /// One half of a renaming: the other one says where to, if that is watched as well.
    struct Half {
        let cookie: UInt32
        let path: FilePath
        let entry: WatchedDirectory.Entry
        let state: ChangeLedger.State
        let time: Duration
    }

    let descriptor: FileDescriptor
    let options: TreeWatcher.Options
    /// As it was given: what paths of changes begin with.
    let path: FilePath
    /// Where that is, without links; the directory around it if it is a file.
    var realRoot: FilePath?
    /// The one name that counts, in a watch of a file.
    var onlyName: FilePath.Component?
    let root = WatchedDirectory(nil, in: nil)
    var watches: [CInt: WatchedDirectory] = [:]
    var ledger: ChangeLedger
    var halves: [Half] = []
    /// Directories to be looked at, by a thread of the pool.
    var toLookAt: [WatchedDirectory] = []
    /// What kept directories from being watched.
    var problems: [UVError] = []
    private var isLookingAtAll = false
    /// Counts looks at the tree.
    private var look = 1
    /// How much the system had to tell when the last look ended, and has not yet. Directories that it says were renamed may have been
    /// others' at the time of the look, because a look sees what is still to be told.
    private var untold = 0
    private var firstDoubtfulLook = 1
    /// Whether the first look at all directories is over.
    var hasBegun = false
    /// Whether what is watched has been removed or has another name.
    var isGone = false
    /// What was changed before this time has been told, or will be.
    var safeTime = FileTime.now

    /// - Throws: ``UVError`` with `.tooManyOpenFiles`, `.notSupported` where the system cannot do it.
    init(_ path: FilePath, _ options: TreeWatcher.Options) throws(UVError) {
        if path.isEmpty { throw UVError(.noSuchFileOrDirectory, in: "watch", of: "an empty path") }
        let descriptor = cplatform_open_watches()
        if descriptor < 0 {
            let code = UVError.Code.lastSystemError
            throw WatchLimit.error(code == .noFunction ? .notSupported : code, "watch", of: path.string)
        }
        self.descriptor = FileDescriptor(rawValue: descriptor)
        self.path = path
        self.options = options
        ledger = ChangeLedger(path, limit: options.limit)
        want(root)
    }

    deinit {
        descriptor.closeIgnoringErrors()
        root.forget()
    }

    /// The path of a name in a directory, as changes have it.
    func path(of name: FilePath.Component, in directory: WatchedDirectory) -> FilePath {
        onlyName == nil ? directory.path(from: path).appending(name) : path
    }

    func isIgnored(_ path: FilePath) -> Bool { options.ignoring?(path) ?? false }

    /// Has a directory looked at.
    func want(_ directory: WatchedDirectory) {
        directory.needsLook = true
        toLookAt.append(directory)
        if directory === root { isLookingAtAll = true }
    }

    /// Notes that something new has a path, and has it looked at if it is a directory.
    func replace(
        _ name: FilePath.Component, in directory: WatchedDirectory, _ path: FilePath, _ isDirectory: Bool
    ) {
        if let lost = directory.entries[name] {
            if let lost = lost.directory { drop(lost) }
            ledger.removed(path, isDirectory: lost.isDirectory)
        }
        enter(name, in: directory, isDirectory)
        ledger.created(path, isDirectory: isDirectory)
    }

    /// Notes a name, and has it looked at if it is a directory.
    func enter(_ name: FilePath.Component, in directory: WatchedDirectory, _ isDirectory: Bool) {
        guard isDirectory, options.isRecursive, onlyName == nil else {
            directory.entries[name] = isDirectory ? .directory(nil) : .file
            return
        }
        let child = WatchedDirectory(name, in: directory)
        directory.entries[name] = .directory(child)
        want(child)
    }

    /// Ends the watches of a directory and of all below it.
    func drop(_ directory: WatchedDirectory) {
        directory.isDropped = true
        if directory.watch >= 0 {
            watches[directory.watch] = nil
            cplatform_remove_watch(descriptor.rawValue, directory.watch)
            directory.watch = -1
        }
        for child in directory.directories { drop(child) }
        directory.entries = [:]
    }

    /// From now on files that were changed before a time are not suspected of a change that was lost. A file's time may be a tick
    /// of the system's clock behind.
    func trust(until time: FileTime) {
        safeTime = FileTime(seconds: time.seconds, nanoseconds: Int64(time.nanoseconds) - 20_000_000)
    }

    /// A look at the tree is over.
    func endLook(begun time: FileTime) {
        // Only a look at everything has found what was lost before: that need not have been told yet.
        if isLookingAtAll { trust(until: time) }
        isLookingAtAll = false
        look += 1
        untold = max(0, Int(cplatform_unread_bytes(descriptor.rawValue)))
        if untold == 0 { firstDoubtfulLook = look }
    }

    /// The system has told something.
    func heard(_ count: Int) {
        untold = max(0, untold - count)
        if untold == 0 { firstDoubtfulLook = look }
    }

    /// Notes that a directory was found where its path leads at present.
    func found(_ directory: WatchedDirectory) {
        directory.needsLook = false
        directory.look = look
    }

    /// Whether another directory may have been taken for this one.
    func isDoubtful(_ directory: WatchedDirectory) -> Bool { directory.look >= firstDoubtfulLook }

    /// Tells that changes were lost, and has all directories looked at again.
    func overflow() {
        ledger.overflow()
        want(root)
    }
}
