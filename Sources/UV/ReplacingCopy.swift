internal import CLinux
internal import SystemPackage

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Copies a file under a temporary name beside the destination, and renames it when it is complete.
final class ReplacingCopy: BatchedWork {
    private let source: FilePath
    private let destination: FilePath
    private let isReplacing: Bool
    private var content: FileCopy?
    private var means = FileCopy.Means()
    private var temporary: FilePath?
    private(set) var progress: Int64 = 0

    init(_ source: FilePath, to destination: FilePath, isReplacing: Bool) {
        self.source = source
        self.destination = destination
        self.isReplacing = isReplacing
    }

    func goOn(_ batch: inout Batch) throws(UVError) -> Bool {
        if content == nil { content = try begin() }
        guard let content else { return false }
        defer { progress = content.bytes }
        let isMore = try content.goOn(&batch, &means, from: { source }, to: { destination })
        if !isMore { try finish(content) }
        return isMore
    }

    func giveUp() {
        content = nil
        if let temporary { try? Files.unlink(temporary) }
        temporary = nil
    }

    /// - Returns: `nil` if both are the same file: there is nothing to do.
    private func begin() throws(UVError) -> FileCopy? {
        let file = try Files.open(source, .readOnly, [], nil)
        var status = stat()
        _ = unsafe fstat(file.rawValue, &status)
        do throws(UVError) {
            guard try isToBeCopied(status) else {
                _ = close(file.rawValue)
                return nil
            }
            return FileCopy(from: file.rawValue, to: try openTemporary(), status)
        } catch {
            _ = close(file.rawValue)
            throw error
        }
    }

    private func isToBeCopied(_ status: stat) throws(UVError) -> Bool {
        switch FileKind(mode: UInt64(status.st_mode)) {
        case .regular: break
        case .directory: throw UVError(.isDirectory, in: "copy", of: source.string)
        default: throw UVError(.notSupported, in: "copy", of: source.string)
        }
        if !isReplacing, (try? Files.linkStatus(of: destination)) != nil {
            throw UVError(.fileExists, in: "copy", of: destination.string)
        }
        guard let old = try? Files.status(of: destination) else { return true }
        switch old.kind {
        case .regular: break
        case .directory: throw UVError(.isDirectory, in: "copy", of: destination.string)
        // Renaming would replace the device by a file.
        default: throw UVError(.notSupported, in: "copy", of: destination.string)
        }
        return !(old.inode == UInt64(status.st_ino) && old.device == UInt64(status.st_dev))
    }

    private func openTemporary() throws(UVError) -> CInt {
        while true {
            let name = FilePath.Component(".uv-" + String(UInt64.random(in: 0 ... .max), radix: 16))
            let path = unsafe destination.removingLastComponent().appending(name.unsafelyUnwrapped)
            do throws(UVError) {
                let file = try Files.open(path, .writeOnly, [.create, .exclusiveCreate], .ownerReadWrite)
                temporary = path
                return file.rawValue
            } catch {
                if error.code != .fileExists { throw UVError(error.code, in: "copy", of: destination.string) }
            }
        }
    }

    private func finish(_ content: FileCopy) throws(UVError) {
        try content.copyPermissions { destination }
        guard let temporary else { return }
        if isReplacing {
            do throws(UVError) { try Files.rename(temporary, to: destination) } catch {
                throw UVError(error.code, in: "copy", of: destination.string)
            }
        } else {
            let status = unsafe temporary.withPlatformString { from in
                unsafe destination.withPlatformString { unsafe clinux_rename_to_free_name(from, $0) }
            }
            if status != 0 { throw UVError(.lastSystemError, in: "copy", of: destination.string) }
        }
        self.temporary = nil
    }
}
