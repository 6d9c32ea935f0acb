internal import CLibuv
internal import SystemPackage

/// Whole files: several calls of the system, one trip to the pool.
extension Files {
    static func readFile(_ path: FilePath, limit: Int) throws(UVError) -> [UInt8] {
        let file = try open(path, .readOnly, [], nil)
        defer { try? close(file) }
        do throws(UVError) {
            let status = try status(of: file)
            let bytes = try readToEnd(file, status, limit: limit)
            LocalVolumes.learn(status.device, from: file)
            return bytes
        } catch {
            let reason = error.code == .fileTooLarge ? ", which is larger than \(limit) bytes" : ""
            throw UVError(error.code, in: "readFile", of: path.string + reason)
        }
    }

    /// Swift ends the process when it gets no memory for an array.
    private static let mostInMemory = Int(clamping: uv_get_total_memory() / 2)

    private static func readToEnd(
        _ file: FileDescriptor, _ status: FileStatus, limit: Int
    ) throws(UVError) -> [UInt8] {
        // A pseudo-file says 0 and has more; one byte behind the end shows that it is the end.
        let expected = status.kind == .regular ? Int(status.size) : 0
        if expected > limit { throw UVError(.fileTooLarge, in: "readFile") }
        if expected > mostInMemory { throw UVError(.noMemory, in: "readFile") }
        var bytes = [UInt8].unset(count: max(expected, 4_095) + 1)
        var count = 0
        while true {
            let more = try read(into: &bytes, from: count, of: file, at: nil)
            if more == 0 { break }
            count += more
            if count > limit { throw UVError(.fileTooLarge, in: "readFile") }
            if count == bytes.count {
                if count > mostInMemory / 2 { throw UVError(.noMemory, in: "readFile") }
                bytes += [UInt8].unset(count: count)
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    static func writeFile(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions?, durably: Bool
    ) throws(UVError) {
        do throws(UVError) {
            let old = try existingStatus(of: path)
            if let old, old.kind != .regular { return try overwrite(path, bytes) }
            let replacement = try FileReplacement(of: try linkTarget(of: path), old: old, permissions: permissions)
            try writeAll(bytes, to: replacement.file, at: 0)
            try replacement.commit(durably: durably)
        } catch {
            throw UVError(error.code, in: "writeFile", of: path.string)
        }
    }

    private static func existingStatus(of path: FilePath) throws(UVError) -> FileStatus? {
        do throws(UVError) { return try status(of: path) } catch {
            if error.code == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// Where symbolic links lead to in the end: they stay, and what they point to is replaced, or made.
    static func linkTarget(of path: FilePath) throws(UVError) -> FilePath {
        var path = path
        // As many as Linux follows; when they are in a circle, the status has said so before.
        for _ in 0..<40 {
            guard (try? linkStatus(of: path))?.kind == .symbolicLink else { return path }
            path = path.removingLastComponent().pushing(try readLink(path))
        }
        throw UVError(.tooManySymbolicLinkLevels, in: "writeFile")
    }

    /// Devices have no content to be replaced.
    private static func overwrite(_ path: FilePath, _ bytes: [UInt8]) throws(UVError) {
        let file = try open(path, .writeOnly, [], nil)
        defer { try? close(file) }
        try writeAll(bytes, to: file, at: nil)
    }
}
