internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// What the system tells, on the loop's thread.
extension WatchedTree {
    /// How long the second half of a renaming may take: the system tells it at once after the first, but other threads' changes
    /// may come between.
    static var patience: Duration { .milliseconds(10) }

    /// Takes a part of what the system has told since.
    func read(into buffer: UnsafeMutableRawBufferPointer) {
        let now = FileTime.now
        let count = unsafe UVPlatform.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
        guard count > 0 else { return }
        var change = unsafe cplatform_change()
        var offset = 0
        while true {
            let next = unsafe cplatform_change_at(buffer.baseAddress, count, offset, &change)
            if next == 0 { break }
            offset = next
            let name = unsafe change.name.flatMap { unsafe FilePath.Component(platformString: $0) }
            unsafe take(change.watch, change.mask, change.cookie, name)
        }
        heard(count)
        // The largest change has a name of 255 bytes, so this was all, unless something was lost.
        let wasLost = unsafe change.mask.has(CPLATFORM_OVERFLOW)
        if count < buffer.count - 512, !wasLost { trust(until: now) }
    }

    /// Takes one change.
    ///
    /// - Parameter cookie: The same for both halves of a renaming.
    /// - Parameter name: `nil` for the directory itself.
    func take(_ watch: CInt, _ mask: UInt32, _ cookie: UInt32, _ name: FilePath.Component?) {
        if mask.has(CPLATFORM_OVERFLOW) { return overflow() }
        guard let directory = watches[watch] else { return }
        if mask.has(CPLATFORM_WATCH_ENDED) {
            watches[watch] = nil
            directory.watch = -1
        }
        guard let name else {
            let isEnd = CPLATFORM_WATCH_ENDED | CPLATFORM_SELF_REMOVED | CPLATFORM_SELF_MOVED | CPLATFORM_UNMOUNTED
            if directory === root, mask.has(isEnd) { isGone = true }
            return
        }
        if let onlyName, name != onlyName { return }
        // Nobody can tell its path. If it stays in the tree, it is looked at again.
        if let traveller = directory.traveller { return traveller.needsLook = true }
        let path = path(of: name, in: directory)
        if isIgnored(path) { return }
        let isDirectory = mask.has(CPLATFORM_IS_DIRECTORY)
        if mask.has(CPLATFORM_CREATED) {
            appeared(name, in: directory, path, isDirectory)
        } else if mask.has(CPLATFORM_REMOVED) {
            disappeared(name, in: directory, path, isDirectory)
        } else if mask.has(CPLATFORM_MOVED_FROM) {
            movedAway(name, in: directory, path, isDirectory, cookie)
        } else if mask.has(CPLATFORM_MOVED_TO) {
            movedHere(name, in: directory, path, isDirectory, cookie)
        } else if let entry = directory.entries[name] {
            // An unknown name is gone again, or has been noted as new by a look at the directory.
            if mask.has(CPLATFORM_MODIFIED) { ledger.modified(path) }
            if mask.has(CPLATFORM_ATTRIBUTES) { ledger.metadata(path, isDirectory: entry.isDirectory) }
        }
    }

    private func appeared(
        _ name: FilePath.Component, in directory: WatchedDirectory, _ path: FilePath, _ isDirectory: Bool
    ) {
        // If a look at the directory was faster, whatever the file has become meanwhile is still to be told.
        if let known = directory.entries[name], known.isDirectory == isDirectory { return }
        replace(name, in: directory, path, isDirectory)
    }

    private func disappeared(
        _ name: FilePath.Component, in directory: WatchedDirectory, _ path: FilePath, _ isDirectory: Bool
    ) {
        guard let entry = leave(name, directory, isDirectory) else { return }
        if let gone = entry.directory { drop(gone) }
        ledger.removed(path, isDirectory: entry.isDirectory)
    }

    /// Forgets a name.
    ///
    /// - Returns: `nil` if it was not known, or what is known is what will have the name later.
    private func leave(
        _ name: FilePath.Component, _ directory: WatchedDirectory, _ isDirectory: Bool
    ) -> WatchedDirectory.Entry? {
        guard let entry = directory.entries[name], entry.isDirectory == isDirectory else { return nil }
        directory.entries[name] = nil
        return entry
    }

    // MARK: Renaming

    private func movedAway(
        _ name: FilePath.Component, in directory: WatchedDirectory, _ path: FilePath, _ isDirectory: Bool,
        _ cookie: UInt32
    ) {
        // Of an exchange the second half: what is there now is the other one.
        if directory.overwritten.remove(name) != nil { want(directory) }
        guard let entry = leave(name, directory, isDirectory) else { return }
        let state = ledger.state(ofFile: path)
        if entry.isDirectory {
            ledger.directoryLeaves(path)
        } else {
            ledger.removed(path, isDirectory: false)
        }
        entry.directory?.isOnItsWay = true
        halves.append(Half(cookie: cookie, path: path, entry: entry, state: state, time: Loop.hrtime))
    }

    private func movedHere(
        _ name: FilePath.Component, in directory: WatchedDirectory, _ path: FilePath, _ isDirectory: Bool,
        _ cookie: UInt32
    ) {
        guard let index = halves.firstIndex(where: { $0.cookie == cookie }) else {
            // From elsewhere; or a look at the directory was faster, and may have seen another one: it looks again.
            if let seen = directory.entries[name]?.directory, isDirectory { return want(seen) }
            return replace(name, in: directory, path, isDirectory)
        }
        let half = halves.remove(at: index)
        if let lost = directory.entries.removeValue(forKey: name) {
            directory.overwritten.insert(name)
            if let lost = lost.directory { drop(lost) }
            ledger.removed(path, isDirectory: lost.isDirectory)
        }
        guard half.entry.isDirectory else {
            directory.entries[name] = half.entry
            return ledger.renamedFile(half.state, to: path)
        }
        if ledger.renamedDirectory(from: half.path, to: path) {
            directory.entries[name] = half.entry
            guard let moved = half.entry.directory else { return }
            moved.move(to: name, in: directory)
            moved.isOnItsWay = false
            lookAgain(moved)
        } else {
            if let moved = half.entry.directory { drop(moved) }
            replace(name, in: directory, path, isDirectory)
        }
    }

    /// Looks at directories that could not be found by their old path.
    private func lookAgain(_ directory: WatchedDirectory) {
        let isUnwatched = directory.watch < 0 && !directory.isWatchedElsewhere
        if directory.needsLook || isUnwatched || isDoubtful(directory) { return want(directory) }
        for child in directory.directories { lookAgain(child) }
    }

    /// Gives up waiting for second halves: what was renamed has left the tree.
    func settleHalves() {
        let now = Loop.hrtime
        halves.removeAll { half in
            if now - half.time < Self.patience { return false }
            if let gone = half.entry.directory { drop(gone) }
            return true
        }
    }
}

extension UInt32 {
    fileprivate func has(_ bits: some BinaryInteger) -> Bool { self & UInt32(truncatingIfNeeded: bits) != 0 }
}
