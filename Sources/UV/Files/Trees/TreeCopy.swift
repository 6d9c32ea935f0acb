internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Copies a tree from its root down. What it makes is new, so that nothing of others can be lost.
final class TreeCopy: BatchedWork {
    private let source: FilePath
    private let destination: FilePath
    private var from = TreePath("copy", isListed: true)
    private var to = TreePath("copy", isListed: false)
    /// The file that the last batch has not finished. Its name is one in the lowest directory, or the destination.
    private var file: (content: FileCopy, name: FilePath, new: CInt)?
    private var means = FileCopy.Means()
    private var hasBegun = false
    private var entries = 0
    private var bytes: Int64 = 0

    init(_ source: FilePath, to destination: FilePath) {
        self.source = source
        self.destination = destination
    }

    var progress: TreeRequest.Progress {
        var path = from.lowest == nil ? source : from.path()
        if let file, from.lowest != nil { path.append(file.name.components) }
        return TreeRequest.Progress(entries: entries, bytes: total(with: file?.content.bytes ?? 0), path: path)
    }

    func goOn(_ batch: inout Batch) throws(UVError) -> Bool {
        if !hasBegun {
            hasBegun = true
            try begin()
        }
        while true {
            if let file, try goOn(file.content, file.name, file.new, &batch) { return true }
            guard let directory = from.lowest else { return false }
            if batch.isOver { return true }
            if let entry = try from.next() {
                try copy(entry, in: directory)
            } else {
                try leave(directory)
            }
            batch.count(entries: 1)
        }
    }

    func giveUp() {
        if let file {
            _ = close(file.new)
            _ = unsafe file.name.withPlatformString { unsafe unlinkat(target, $0, 0) }
        }
        file = nil
        from = TreePath("copy", isListed: true)
        to = TreePath("copy", isListed: false)
    }

    /// The directory to copy into.
    private var target: CInt { to.lowest?.descriptor ?? AT_FDCWD }

    // MARK: Root

    private func begin() throws(UVError) {
        var status = stat()
        if unsafe source.withPlatformString({ unsafe lstat($0, &status) }) != 0 { throw failure(source) }
        if FileKind(mode: UInt64(status.st_mode)) == .directory {
            guard let directory = TreeDirectory(source, in: AT_FDCWD) else { throw failure(source) }
            try checkIsOutside(directory)
            try enter(directory, as: destination)
        } else {
            try copy(source, as: destination, status, in: AT_FDCWD)
        }
    }

    /// Nothing would end a copy into the tree itself.
    private func checkIsOutside(_ directory: TreeDirectory) throws(UVError) {
        let parent = destination.removingLastComponent()
        var place = unsafe (parent.isEmpty ? "." : parent).withPlatformString { path in
            repeated { unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        }
        if place < 0 { throw failure(destination) }
        defer { _ = close(place) }
        var last = stat()
        while true {
            var status = stat()
            if unsafe fstat(place, &status) != 0 { throw failure(destination) }
            if directory.isSame(as: status) {
                throw UVError(.invalidArgument, in: "copy", of: "\(source) into itself: \(destination)")
            }
            // The root is in itself.
            if status.st_ino == last.st_ino, status.st_dev == last.st_dev { return }
            last = status
            let above = repeated { unsafe openat(place, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            if above < 0 {
                // Not to be looked into: then it cannot be copied either, nor what is above.
                if errno == EACCES || errno == ENOENT { return }
                throw failure(destination)
            }
            _ = close(place)
            place = above
        }
    }

    // MARK: Directories

    private func enter(_ directory: TreeDirectory, as name: FilePath) throws(UVError) {
        if let root = to.directories.first, directory.isSame(as: root.status) {
            throw UVError(.invalidArgument, in: "copy", of: "\(source) into itself: \(destination)")
        }
        // With what this process needs itself; the source's permissions come last.
        guard unsafe name.withPlatformString({ unsafe mkdirat(target, $0, 0o700) }) == 0,
            let new = TreeDirectory(name, in: target)
        else { throw failure(targetPath(name)) }
        try from.enter(directory)
        try to.enter(new)
    }

    private func leave(_ directory: TreeDirectory) throws(UVError) {
        guard let new = to.lowest else { return }
        _ = try from.parentOfLowest()
        _ = try to.parentOfLowest()
        guard fchmod(new.descriptor, directory.status.st_mode & 0o1777) == 0,
            unsafe withUnsafePointer(to: directory.status, { unsafe cplatform_copy_times(new.descriptor, nil, $0) })
                == 0
        else { throw failure(to.path()) }
        from.leave()
        to.leave()
        entries += 1
    }

    // MARK: Entries

    private func copy(_ entry: TreeDirectory.Entry, in directory: TreeDirectory) throws(UVError) {
        let name = unsafe FilePath(platformString: entry.name)
        if entry.kind == .directory {
            guard let below = TreeDirectory(name, in: directory.descriptor) else { throw failure(sourcePath(name)) }
            return try enter(below, as: name)
        }
        var status = stat()
        if entry.kind == .regular {
            status.st_mode = S_IFREG
        } else if unsafe fstatat(directory.descriptor, entry.name, &status, AT_SYMLINK_NOFOLLOW) != 0 {
            throw failure(sourcePath(name))
        }
        try copy(name, as: name, status, in: directory.descriptor)
    }

    /// - Parameter status: For regular files only the kind counts.
    private func copy(_ name: FilePath, as newName: FilePath, _ status: stat, in directory: CInt) throws(UVError) {
        switch FileKind(mode: UInt64(status.st_mode)) {
        case .regular: return try copyFile(name, as: newName, in: directory)
        case .directory:
            guard let below = TreeDirectory(name, in: directory) else { throw failure(sourcePath(name)) }
            return try enter(below, as: newName)
        case .symbolicLink: try copyLink(name, as: newName, in: directory)
        case .fifo:
            let isDone = unsafe newName.withPlatformString {
                unsafe mkfifoat(target, $0, status.st_mode & 0o777) == 0
            }
            if !isDone { throw failure(targetPath(newName)) }
        default: throw UVError(.notSupported, in: "copy", of: sourcePath(name).string)
        }
        _ = unsafe newName.withPlatformString { newName in
            unsafe withUnsafePointer(to: status) { unsafe cplatform_copy_times(target, newName, $0) }
        }
        entries += 1
    }

    private func copyLink(_ name: FilePath, as newName: FilePath, in directory: CInt) throws(UVError) {
        var text = [CChar](repeating: 0, count: 4097)
        let count = unsafe name.withPlatformString { unsafe readlinkat(directory, $0, &text, text.count - 1) }
        if count < 0 { throw failure(sourcePath(name)) }
        text[count] = 0
        if unsafe newName.withPlatformString({ unsafe symlinkat(text, target, $0) }) != 0 {
            throw failure(targetPath(newName))
        }
    }

    private func copyFile(_ name: FilePath, as newName: FilePath, in directory: CInt) throws(UVError) {
        let old = unsafe name.withPlatformString { name in
            repeated { unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        }
        if old < 0 { throw failure(sourcePath(name)) }
        var status = stat()
        guard unsafe fstat(old, &status) == 0, FileKind(mode: UInt64(status.st_mode)) == .regular else {
            _ = close(old)
            throw UVError(.notSupported, in: "copy", of: sourcePath(name).string)
        }
        let new = unsafe newName.withPlatformString { name in
            repeated {
                unsafe openat(
                    target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, status.st_mode & 0o777)
            }
        }
        if new < 0 {
            let error = failure(targetPath(newName))
            _ = close(old)
            throw error
        }
        file = (FileCopy(from: old, to: new, status), newName, new)
    }

    private func goOn(_ content: FileCopy, _ name: FilePath, _ new: CInt, _ batch: inout Batch) throws(UVError) -> Bool
    {
        if try content.goOn(&batch, &means, from: { sourcePath(name) }, to: { targetPath(name) }) { return true }
        try content.copyPermissions { targetPath(name) }
        try content.copyTimes { targetPath(name) }
        file = nil
        // Some file systems find out here only that a volume is full.
        if close(new) != 0 {
            let error = failure(targetPath(name))
            _ = unsafe name.withPlatformString { unsafe unlinkat(target, $0, 0) }
            throw error
        }
        bytes = total(with: content.bytes)
        entries += 1
        return false
    }

    /// Holes count, so that a few sparse files can be more than there are numbers.
    private func total(with more: Int64) -> Int64 {
        let sum = bytes.addingReportingOverflow(more)
        return sum.overflow ? .max : sum.partialValue
    }

    // MARK: Errors

    private func sourcePath(_ name: FilePath) -> FilePath { from.lowest == nil ? source : from.path(name) }

    private func targetPath(_ name: FilePath) -> FilePath { to.lowest == nil ? destination : to.path(name) }

    private func failure(_ path: @autoclosure () -> FilePath) -> UVError { from.failure(path()) }
}
