internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Removes a tree from its leaves up.
final class TreeRemoval: BatchedWork {
    private let root: FilePath
    private var path = TreePath("remove", isListed: true)
    private var entries = 0
    private var hasBegun = false
    /// Entries removed since the lowest directory was last read from its start.
    private var removedHere = 0

    init(_ root: FilePath) { self.root = root }

    var progress: TreeRequest.Progress {
        TreeRequest.Progress(entries: entries, path: path.lowest == nil ? root : path.path())
    }

    func goOn(_ batch: inout Batch) throws(UVError) -> Bool {
        if !hasBegun {
            hasBegun = true
            try begin()
        }
        while let directory = path.lowest {
            if batch.isOver { return true }
            if let entry = try path.next() {
                try remove(entry, in: directory)
            } else {
                try leave(directory)
            }
            batch.count(entries: 1)
        }
        return false
    }

    func giveUp() { path = TreePath("remove", isListed: true) }

    private func begin() throws(UVError) {
        if let directory = TreeDirectory(root, in: AT_FDCWD) { return try path.enter(directory) }
        guard [ENOTDIR, ELOOP].contains(errno) else { throw path.failure(root) }
        if unsafe root.withPlatformString({ unsafe unlink($0) }) != 0 { throw path.failure(root) }
        entries += 1
    }

    private func remove(_ entry: TreeDirectory.Entry, in directory: TreeDirectory) throws(UVError) {
        if entry.kind == .directory || entry.kind == .unknown {
            if let below = unsafe TreeDirectory(FilePath(platformString: entry.name), in: directory.descriptor) {
                removedHere = 0
                return try path.enter(below)
            }
            // Something else by now.
            guard [ENOTDIR, ELOOP, ENOENT].contains(errno) else {
                throw unsafe path.failure(path.path(FilePath(platformString: entry.name)))
            }
        }
        if unsafe unlinkat(directory.descriptor, entry.name, 0) == 0 {
            entries += 1
            removedHere += 1
        } else if errno != ENOENT {
            throw unsafe path.failure(path.path(FilePath(platformString: entry.name)))
        }
    }

    private func leave(_ directory: TreeDirectory) throws(UVError) {
        let parent = try path.parentOfLowest()
        if unsafe directory.name.withPlatformString({ unsafe unlinkat(parent, $0, AT_REMOVEDIR) }) == 0 {
            entries += 1
        } else if errno == ENOTEMPTY || errno == EEXIST, removedHere > 0 {
            // Somebody has added a name, or the listing has missed one because others were removed.
            removedHere = 0
            return directory.rewind()
        } else if errno != ENOENT {
            throw path.failure(path.path())
        }
        path.leave()
        // The directory above has lost one now.
        removedHere = 1
    }
}
