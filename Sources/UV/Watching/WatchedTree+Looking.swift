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
        while !batch.isOver, let directory = toLookAt.popLast() {
            if !directory.needsLook || directory.isDropped || directory.traveller != nil { continue }
            let isNew = !directory.isKnown
            let count = try lookAt(directory)
            batch.count(entries: 1 + (isNew ? count : count * 2))
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
        let isRoot = directory === root
        let real = directory.path(from: realRoot ?? path)
        guard let list = TreeDirectory(real, in: AT_FDCWD, followingLink: isRoot) else {
            try refused(directory)
            return 0
        }
        var mask = CPLATFORM_CREATED | CPLATFORM_REMOVED | CPLATFORM_MODIFIED | CPLATFORM_MOVED_FROM
        mask |= CPLATFORM_MOVED_TO | CPLATFORM_DIRECTORIES_ONLY
        if options.includesMetadata { mask |= CPLATFORM_ATTRIBUTES }
        if isRoot { mask |= CPLATFORM_SELF_REMOVED | CPLATFORM_SELF_MOVED }
        let watch = addWatch(list, real, UInt32(truncatingIfNeeded: mask), isRoot)
        guard watch >= 0 else {
            try refused(directory)
            return 0
        }
        found(directory)
        guard own(watch, directory, list) else { return 0 }
        if let onlyName {
            look(for: onlyName, in: list)
            return 1
        }
        return read(directory, list)
    }

    /// Watches an open directory, not what has its path: that may be another directory by now, whose names would be taken for this
    /// one's.
    ///
    /// - Returns: -1 with `errno` set if it could not.
    private func addWatch(_ list: TreeDirectory, _ real: FilePath, _ bits: UInt32, _ isRoot: Bool) -> CInt {
        let watch = unsafe cplatform_add_watch(descriptor.rawValue, "/proc/self/fd/\(list.descriptor)", bits)
        if watch >= 0 || errno == ENOSPC || errno == ENOMEM { return watch }
        // A process that has given up its rights may not look there, and a jail may have no /proc.
        let watchOfPath = unsafe real.withPlatformString {
            unsafe cplatform_add_watch(
                descriptor.rawValue, $0, isRoot ? bits : bits | UInt32(truncatingIfNeeded: CPLATFORM_NO_LINKS))
        }
        if watchOfPath < 0 || isThere(real, list) { return watchOfPath }
        if watches[watchOfPath] == nil { cplatform_remove_watch(descriptor.rawValue, watchOfPath) }
        errno = ENOENT
        return -1
    }

    /// Notes that a directory could not be watched, by `errno`.
    ///
    /// - Throws: What ends the watch.
    private func refused(_ directory: WatchedDirectory) throws(UVError) {
        let code = UVError.Code.lastSystemError
        let isAbsent = [.noSuchFileOrDirectory, .notDirectory, .tooManySymbolicLinkLevels].contains(code)
        let error = WatchLimit.error(code, "watch", of: directory.path(from: path).string)
        if directory === root, directory.isKnown, isAbsent {
            isGone = true
        } else if directory === root {
            throw error
        } else if code == .noSpace || code == .noMemory {
            // A tree of which only a part is watched, and nobody knows which, is of no use.
            throw error
        } else if !isAbsent {
            problems.append(error)
        }
        // Gone again, or something else has the name: the directory above tells.
    }

    /// - Returns: False if the directory is watched by another path that leads to it.
    private func own(_ watch: CInt, _ directory: WatchedDirectory, _ list: TreeDirectory) -> Bool {
        directory.isWatchedElsewhere = false
        if let other = watches[watch], other !== directory {
            // Bind mounts give a directory two paths. Else it was moved here, and nobody has told yet.
            if other.traveller == nil, isThere(other.path(from: realRoot ?? path), list) {
                directory.isWatchedElsewhere = true
                return false
            }
            other.watch = -1
            if !other.isDropped { want(other) }
        }
        if directory.watch >= 0, directory.watch != watch {
            watches[directory.watch] = nil
            cplatform_remove_watch(descriptor.rawValue, directory.watch)
        }
        directory.watch = watch
        watches[watch] = directory
        return true
    }

    /// Whether a path leads to an open directory.
    private func isThere(_ real: FilePath, _ list: TreeDirectory) -> Bool {
        var status = stat()
        return unsafe real.withPlatformString { unsafe lstat($0, &status) } == 0 && list.isSame(as: status)
    }

    /// For a watch of one file.
    private func look(for name: FilePath.Component, in list: TreeDirectory) {
        var status = stat()
        let exists = unsafe name.withPlatformString {
            unsafe fstatat(list.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) == 0
        }
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

    private func read(_ directory: WatchedDirectory, _ list: TreeDirectory) -> Int {
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
                if let child = known.directory { want(child) }
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
