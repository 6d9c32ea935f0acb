internal import SystemPackage

/// Gives a name new content: by a new file that takes the name, or in place where that cannot be. One trip to the pool, or more
/// where a pipe makes it wait.
final class WholeWrite {
    /// For errors.
    private let path: FilePath
    private let place: WritePlace
    private let bytes: [UInt8]
    private let permissions: FilePermissions?
    private let durably: Bool
    /// What has the name; `nil` for nothing.
    private var old: FileStatus?
    /// Open for writing in place.
    private var file: FileDescriptor?
    private var isInPlace = false
    private var done = 0

    init(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions?, durably: Bool, at place: WritePlace
    ) {
        self.path = path
        self.place = place
        self.bytes = bytes
        self.permissions = permissions
        self.durably = durably
    }

    deinit { close() }

    /// - Returns: `nil` where the request has to wait.
    func goOn(_ request: PoolRequest?) throws(UVError) -> Void? {
        defer { if request?.wait == nil { close() } }
        do throws(UVError) {
            if !isInPlace {
                isInPlace = try !replace()
                if !isInPlace { return () }
            }
            return try writeInPlace()
        } catch {
            request?.wait = reasonToWait(error)
            if request?.wait != nil { return nil }
            throw UVError(error.code, in: "writeFile", of: done > 0 ? "\(path) after \(done) bytes" : path.string)
        }
    }

    /// - Returns: False for what cannot be replaced.
    private func replace() throws(UVError) -> Bool {
        do throws(UVError) { old = try place.status() } catch {
            if error.code != .noSuchFileOrDirectory { throw error }
        }
        if let old, old.kind != .regular { return false }
        do throws(UVError) {
            guard let replacement = try place.replacement(old, permissions) else { return false }
            try Files.writeAll(bytes, to: OpenFile(replacement.file, path), at: 0)
            try replacement.commit(durably: durably)
            return true
        } catch {
            // A file on which another is mounted keeps its name; its directory may be read-only too.
            guard old != nil, [.resourceBusy, .readOnlyFileSystem].contains(error.code) else { throw error }
            return false
        }
    }

    private func writeInPlace() throws(UVError) {
        let isRegular = old?.kind == .regular
        let file =
            if let file { file } else { try place.open(isRegular ? .truncate : []) }
        self.file = file
        try Files.writeAll(bytes, &done, to: OpenFile(file, path), at: nil)
        if durably, isRegular || old?.kind == .blockDevice { try Files.run(.syncIfPossible(file)) }
        self.file = nil
        try Files.run(.close(file))
    }

    private func reasonToWait(_ error: UVError) -> PoolWait? {
        if error.code == .resourceTemporarilyUnavailable, let file { return .ready(file, .writable) }
        if !isInPlace || file != nil { return nil }
        // Nobody has opened the FIFO for reading, or another process has a lease on the file.
        let isForeign = error.code == .noSuchAddressOrDevice && old?.kind == .fifo
        return isForeign || error.code == .resourceTemporarilyUnavailable ? .change : nil
    }

    private func close() {
        if let file = file.take() { try? Files.run(.close(file)) }
    }
}
