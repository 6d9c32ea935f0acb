internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// Copies a file to a new one, which takes the destination's name when it is complete.
final class ReplacingCopy: BatchedWork {
    private let source: FilePath
    private let destination: FilePath
    private let isReplacing: Bool
    private var content: FileCopy?
    private var replacement: FileReplacement?
    private var means = FileCopy.Means()
    private(set) var progress: Int64 = 0

    init(_ source: FilePath, to destination: FilePath, isReplacing: Bool) {
        self.source = source
        self.destination = destination
        self.isReplacing = isReplacing
    }

    func goOn(_ batch: inout Batch) throws(UVError) -> Bool {
        if content == nil { try begin() }
        // Both are the same file.
        guard let content, let replacement else { return false }
        defer { progress = content.bytes }
        if try content.goOn(&batch, &means, from: { source }, to: { destination }) { return true }
        try content.copyPermissions { destination }
        if batch.isGivenUp { throw UVError(.canceled, in: "copy", of: source.string) }
        try named(destination) { () throws(UVError) in
            try replacement.commit(durably: false, isReplacing: isReplacing)
        }
        // Closed by this thread: a file system that is a program may let it wait.
        self.content = nil
        return false
    }

    func giveUp() {
        content = nil
        replacement = nil
    }

    private func begin() throws(UVError) {
        let file = try named(source) { () throws(UVError) in try Files.run(.open(source, .readOnly)) }
        var status = stat()
        _ = unsafe fstat(file.rawValue, &status)
        do throws(UVError) {
            guard let target = try place(for: status) else {
                _ = close(file.rawValue)
                return
            }
            let new = try named(destination) { () throws(UVError) in
                try FileReplacement(of: target, old: nil, permissions: .ownerReadWrite)
            }
            replacement = new
            content = FileCopy(from: file.rawValue, to: new.file.rawValue, status)
        } catch {
            _ = close(file.rawValue)
            throw error
        }
    }

    /// The name to be taken; `nil` if the source has it.
    private func place(for status: stat) throws(UVError) -> FilePath? {
        switch FileKind(mode: UInt64(status.st_mode)) {
        case .regular: break
        case .directory: throw UVError(.isDirectory, in: "copy", of: source.string)
        default: throw UVError(.notSupported, in: "copy", of: source.string)
        }
        if !isReplacing, (try? Files.run(.status(of: destination, followingLinks: false))) != nil {
            throw UVError(.fileExists, in: "copy", of: destination.string)
        }
        // Of a link to nothing, what it points to is made.
        let old = try? Files.run(.status(of: destination))
        if let old, old.inode == UInt64(status.st_ino), old.device == UInt64(status.st_dev) { return nil }
        if old?.kind == .directory { throw UVError(.isDirectory, in: "copy", of: destination.string) }
        // A file would take the device's name.
        let isReplaceable = old?.kind ?? .regular == .regular
        let target = try named(destination) { () throws(UVError) in try Files.linkTarget(of: destination) }
        guard isReplaceable, let target else { throw UVError(.notSupported, in: "copy", of: destination.string) }
        return target
    }

    private func named<Value>(_ path: FilePath, _ body: () throws(UVError) -> Value) throws(UVError) -> Value {
        do throws(UVError) { return try body() } catch { throw UVError(error.code, in: "copy", of: path.string) }
    }
}
