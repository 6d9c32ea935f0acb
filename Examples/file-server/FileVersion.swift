import AsyncUV
import AsyncUVHTTP
import ExampleHTTP
import HTTPTypes
import Synchronization

/// What every answer says of a version of a file. It is the same until the file changes, so it is written once.
struct FileVersion: Sendable {
    let validators: Validators
    let fields: HTTPFields
    /// Of an answer with the whole file.
    let head: HTTPPreparedHead
    private let identity: Identity

    private struct Identity: Equatable {
        let device, inode: UInt64
        let size: Int64
        let modified: FileTime

        init(_ status: FileStatus) {
            (device, inode, size, modified) = (status.device, status.inode, status.size, status.modified)
        }
    }

    fileprivate init(_ path: FilePath, _ status: FileStatus) {
        identity = Identity(status)
        let (seconds, nanoseconds) = (status.modified.seconds, Int64(status.modified.nanoseconds))
        let parts = [Int64(bitPattern: status.inode), status.size, seconds, nanoseconds]
        let tag = parts.map { String($0, radix: 16) }.joined(separator: "-")
        validators = Validators(entityTag: "\"\(tag)\"", modified: seconds)
        fields = [
            .eTag: validators.entityTag, .lastModified: HTTPDate.text(seconds),
            // Clients ask each time whether it is still the same.
            .cacheControl: "no-cache", .acceptRanges: "bytes", .contentType: ContentType.of(path.extension),
        ]
        head = Answer.head(.ok, fields)
    }

    fileprivate func isOf(_ status: FileStatus) -> Bool { identity == Identity(status) }
}

/// The versions of files that were asked for last, by their paths.
final class FileVersions: Sendable {
    /// Of a kilobyte each.
    private static let most = 1_024

    private let versions = Mutex<[FilePath: FileVersion]>([:])

    func version(of path: FilePath, _ status: FileStatus) -> FileVersion {
        versions.withLock { versions in
            if let known = versions[path], known.isOf(status) { return known }
            if versions.count >= Self.most { versions = [:] }
            let version = FileVersion(path, status)
            versions[path] = version
            return version
        }
    }
}
