internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Looking for directories and names, on a thread of the pool. Each directory is watched before it is read, so that what appears
/// meanwhile is found by the one or told by the other.
extension WatchedTree: BatchedWork {
    /// How many directories are watched.
    var progress: Int { watches.count }

    func giveUp() {}

    func goOn(_ batch: inout Batch) throws(UVError) -> Bool {
        if realRoot == nil { try findRoot() }
        while let directory = toLookAt.popLast() {
            if directory.isDropped { continue }
            let isNew = !directory.isKnown
            let count = try lookAt(directory)
            batch.count(entries: 1 + (isNew ? count : count * 2))
            if batch.isOver { break }
        }
        return !toLookAt.isEmpty
    }

    private func findRoot() throws(UVError) {
        var status = stat()
        guard let real = real(path), unsafe real.withPlatformString({ unsafe stat($0, &status) }) == 0 else {
            throw UVError(.lastSystemError, in: "watch", of: path.string)
        }
        if FileKind(mode: UInt64(status.st_mode)) == .directory {
            realRoot = real
        } else {
            realRoot = real.removingLastComponent()
            onlyName = real.lastComponent
        }
    }

    private func real(_ path: FilePath) -> FilePath? {
        guard let found = unsafe path.withPlatformString({ unsafe realpath($0, nil) }) else { return nil }
        defer { unsafe free(found) }
        return unsafe FilePath(platformString: found)
    }

    private func realPath(of directory: WatchedDirectory) -> FilePath {
        directory.path(from: realRoot ?? path)
    }

    /// Watches a directory and reads the names in it.
    ///
    /// - Returns: How many there are.
    private func lookAt(_ directory: WatchedDirectory) throws(UVError) -> Int {
        let real = realPath(of: directory)
        guard try watch(directory, real) else { return 0 }
        if let onlyName {
            look(for: onlyName, in: real)
            return 1
        }
        return read(directory, real)
    }

    /// - Returns: False for a directory that is not watched: it is gone again, or may not be.
    private func watch(_ directory: WatchedDirectory, _ real: FilePath) throws(UVError) -> Bool {
        let isRoot = directory === root
        var mask = CPLATFORM_CREATED | CPLATFORM_REMOVED | CPLATFORM_MODIFIED | CPLATFORM_MOVED_FROM
        mask |= CPLATFORM_MOVED_TO | CPLATFORM_DIRECTORIES_ONLY
        if options.includesMetadata { mask |= CPLATFORM_ATTRIBUTES }
        mask |= isRoot ? CPLATFORM_SELF_REMOVED | CPLATFORM_SELF_MOVED : CPLATFORM_NO_LINKS
        let watch = unsafe real.withPlatformString {
            unsafe cplatform_add_watch(descriptor.rawValue, $0, UInt32(truncatingIfNeeded: mask))
        }
        if watch >= 0 { return own(watch, directory, real) }
        let code = UVError.Code.lastSystemError
        let error = WatchLimit.error(code, "watch", of: directory.path(from: path).string)
        if isRoot, directory.isKnown, [.noSuchFileOrDirectory, .notDirectory].contains(code) {
            isGone = true
            return false
        }
        if isRoot { throw error }
        switch code {
        // Gone again, or something else has the name: the directory above tells.
        case .noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels: return false
        // A tree of which only a part is watched, and nobody knows which, is of no use.
        case .noSpace, .noMemory: throw error
        default:
            problems.append(error)
            return false
        }
    }

    /// - Returns: False if the directory is watched by another path that leads to it.
    private func own(_ watch: CInt, _ directory: WatchedDirectory, _ real: FilePath) -> Bool {
        directory.isWatchedElsewhere = false
        if let other = watches[watch], other !== directory {
            // Bind mounts give a directory two paths. Else it was moved here, and nobody has told yet.
            if isSame(realPath(of: other), real) {
                directory.isWatchedElsewhere = true
                return false
            }
            other.watch = -1
        }
        if directory.watch >= 0, directory.watch != watch {
            watches[directory.watch] = nil
            cplatform_remove_watch(descriptor.rawValue, directory.watch)
        }
        directory.watch = watch
        watches[watch] = directory
        return true
    }

    private func isSame(_ path: FilePath, _ other: FilePath) -> Bool {
        var (one, two) = (stat(), stat())
        let first = unsafe path.withPlatformString { unsafe lstat($0, &one) }
        let second = unsafe other.withPlatformString { unsafe lstat($0, &two) }
        return first == 0 && second == 0 && one.st_ino == two.st_ino && one.st_dev == two.st_dev
    }

    /// For a watch of one file.
    private func look(for name: FilePath.Component, in real: FilePath) {
        var status = stat()
        let exists = unsafe real.appending(name).withPlatformString { unsafe lstat($0, &status) } == 0
        let isDirectory = exists && FileKind(mode: UInt64(status.st_mode)) == .directory
        let known = root.entries[name]
        defer { root.isKnown = true }
        if !exists {
            if let known { ledger.removed(path, isDirectory: known.isDirectory) }
            root.entries[name] = nil
            return
        }
        root.entries[name] = isDirectory ? .directory(nil) : .file
        guard root.isKnown else { return }
        if known == nil {
            ledger.created(path, isDirectory: isDirectory)
        } else if FileTime(status.changeTime) >= safeTime {
            ledger.modified(path)
        }
    }

    // MARK: Names

    private func read(_ directory: WatchedDirectory, _ real: FilePath) -> Int {
        guard let list = TreeDirectory(real, in: AT_FDCWD, followingLink: directory === root) else {
            let code = UVError.Code.lastSystemError
            if code != .noSuchFileOrDirectory, code != .notDirectory, code != .tooManySymbolicLinkLevels {
                problems.append(UVError(code, in: "watch", of: directory.path(from: path).string))
            }
            return 0
        }
        let shown = directory.path(from: path)
        var missing = directory.entries
        var count = 0
        while let entry = list.next() {
            guard let name = DirectoryEntry(entry)?.name else { continue }
            count += 1
            let kind = list.kind(of: entry)
            let path = shown.appending(name)
            if kind == .unknown || isIgnored(path) { continue }
            let known = missing.removeValue(forKey: name)
            if let known, known.isDirectory == (kind == .directory) {
                if let child = known.directory { toLookAt.append(child) }
                if !known.isDirectory, changed(entry, in: list) { ledger.modified(path) }
                continue
            }
            // What is there when the watch begins is not told.
            if hasBegun {
                replace(name, in: directory, path, kind == .directory)
            } else {
                enter(name, in: directory, kind == .directory)
            }
        }
        for (name, entry) in missing {
            directory.entries[name] = nil
            if let lost = entry.directory { drop(lost) }
            ledger.removed(shown.appending(name), isDirectory: entry.isDirectory)
        }
        directory.isKnown = true
        return count
    }

    /// Whether a known file may have changed without a word.
    private func changed(_ entry: TreeDirectory.Entry, in list: TreeDirectory) -> Bool {
        var status = stat()
        return unsafe fstatat(list.descriptor, entry.name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && FileTime(status.changeTime) >= safeTime
    }
}

extension FileTime {
    fileprivate init(_ raw: timespec) { self.init(seconds: Int64(raw.tv_sec), nanoseconds: Int64(raw.tv_nsec)) }
}

extension stat {
    fileprivate var changeTime: timespec {
        #if canImport(Darwin)
        st_ctimespec
        #else
        st_ctim
        #endif
    }
}
