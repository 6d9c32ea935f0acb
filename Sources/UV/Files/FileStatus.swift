internal import CLibuv
public import SystemPackage
internal import UVPlatform

/// What sort of thing a name stands for.
public enum FileKind: Sendable {
    /// A file with bytes in it.
    case regular
    /// A directory.
    case directory
    /// A symbolic link, wherever it leads.
    case symbolicLink
    /// A pipe with a name.
    case fifo
    /// A local socket.
    case socket
    /// A device that is read and written in order, such as a terminal.
    case characterDevice
    /// A device with places that are read and written at will, such as a disk.
    case blockDevice
    /// The file system did not say; ``FileStatus/kind`` does.
    case unknown

    init(mode: UInt64) {
        switch mode_t(truncatingIfNeeded: mode & 0o170000) {
        case S_IFREG: self = .regular
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symbolicLink
        case S_IFIFO: self = .fifo
        case S_IFSOCK: self = .socket
        case S_IFCHR: self = .characterDevice
        case S_IFBLK: self = .blockDevice
        default: self = .unknown
        }
    }

    init(_ type: uv_dirent_type_t) {
        switch type {
        case UV_DIRENT_FILE: self = .regular
        case UV_DIRENT_DIR: self = .directory
        case UV_DIRENT_LINK: self = .symbolicLink
        case UV_DIRENT_FIFO: self = .fifo
        case UV_DIRENT_SOCKET: self = .socket
        case UV_DIRENT_CHAR: self = .characterDevice
        case UV_DIRENT_BLOCK: self = .blockDevice
        default: self = .unknown
        }
    }
}

/// What the system knows of a file.
public struct FileStatus: Equatable, Sendable {
    /// What it is: a file, a directory or something else.
    public var kind: FileKind
    /// Who may do what with it.
    public var permissions: FilePermissions
    /// In bytes.
    public var size: Int64
    /// What the file takes up on its volume, in bytes.
    public var allocatedSize: Int64
    /// Number of the volume. With ``inode`` it tells whether two names stand for the same file.
    public var device: UInt64
    /// The number of the file on its volume.
    public var inode: UInt64
    /// How many names the file has.
    public var linkCount: UInt64
    /// Number of the owner.
    public var user: UInt32
    /// Number of the owning group.
    public var group: UInt32
    /// What a device file stands for, else 0.
    public var deviceNumber: UInt64
    /// The size that suits reads and writes best, in bytes.
    public var blockSize: Int
    /// When it was last read, as far as the volume keeps count.
    public var accessed: FileTime
    /// When the content was changed.
    public var modified: FileTime
    /// When anything was changed: content, permissions, names.
    public var changed: FileTime
    /// When the file was made; `nil` where the file system does not say.
    public var created: FileTime?

    init(_ raw: uv_stat_t) {
        kind = FileKind(mode: raw.st_mode)
        permissions = FilePermissions(rawValue: mode_t(truncatingIfNeeded: raw.st_mode & 0o7777))
        size = Int64(clamping: raw.st_size)
        // A file system of somebody's own may say anything.
        let allocated = raw.st_blocks.multipliedReportingOverflow(by: 512)
        allocatedSize = allocated.overflow ? .max : Int64(clamping: allocated.partialValue)
        device = raw.st_dev
        inode = raw.st_ino
        linkCount = raw.st_nlink
        user = UInt32(truncatingIfNeeded: raw.st_uid)
        group = UInt32(truncatingIfNeeded: raw.st_gid)
        deviceNumber = raw.st_rdev
        blockSize = Int(clamping: raw.st_blksize)
        accessed = FileTime(raw.st_atim)
        modified = FileTime(raw.st_mtim)
        changed = FileTime(raw.st_ctim)
        let birth = FileTime(raw.st_birthtim)
        created = birth == FileTime(seconds: 0) ? nil : birth
    }
}

/// The user and group that own a file, by number; what is `nil` stays as it is.
public struct FileOwner: Hashable, Sendable {
    /// The number of the user.
    public var user: UInt32?
    /// The number of the group.
    public var group: UInt32?

    /// An owner; what is left out stays as it is.
    public init(user: UInt32? = nil, group: UInt32? = nil) {
        self.user = user
        self.group = group
    }

    /// All bits set: the system's sign for "as it is".
    var rawUser: uv_uid_t { user ?? .max }
    var rawGroup: uv_gid_t { group ?? .max }
}

/// What a process may want to do with a file.
public struct FileAccess: OptionSet, Sendable {
    public let rawValue: CInt
    public init(rawValue: CInt) { self.rawValue = rawValue }

    /// The file is there.
    public static var exists: Self { Self(rawValue: F_OK) }
    /// Read it; for a directory: list it.
    public static var read: Self { Self(rawValue: R_OK) }
    /// Write it; for a directory: add and remove entries.
    public static var write: Self { Self(rawValue: W_OK) }
    /// Run as a program; for a directory: go through.
    public static var execute: Self { Self(rawValue: X_OK) }
}

/// What the system knows of the volume that a file is on.
public struct VolumeStatus: Equatable, Sendable {
    /// Number of the file system's type.
    public var type: UInt64
    /// In bytes; the other sizes count in these.
    public var blockSize: UInt64
    /// How many blocks the volume has.
    public var blocks: UInt64
    /// How many are free; some only for a privileged process.
    public var freeBlocks: UInt64
    /// Free for a process without privileges.
    public var availableBlocks: UInt64
    /// How many files there can be, 0 where there is no such number.
    public var files: UInt64
    /// How many more files there can be.
    public var freeFiles: UInt64

    /// What a process without privileges can write, in bytes; the largest number for a file system that claims even more.
    public var availableBytes: UInt64 {
        let bytes = availableBlocks.multipliedReportingOverflow(by: blockSize)
        return bytes.overflow ? .max : bytes.partialValue
    }

    init(_ raw: uv_statfs_t) {
        type = raw.f_type
        blockSize = raw.f_bsize
        blocks = raw.f_blocks
        freeBlocks = raw.f_bfree
        availableBlocks = raw.f_bavail
        files = raw.f_files
        freeFiles = raw.f_ffree
    }
}
