// The types of the callback layer and of swift-system that stand in signatures of this one: `import AsyncUV` is enough to
// name them.
public import UV

@_exported public import struct SystemPackage.FileDescriptor
@_exported public import struct SystemPackage.FilePath
@_exported public import struct SystemPackage.FilePermissions
// Makes the members of UV's types visible, too.
@_exported public import struct UV.UVError

// Aliases, because an exported struct silently wins over one of the same name that comes with its module: in a file that
// imports NIOCore as well, `SocketAddress` would be ours. As it is, the compiler says that the name is ambiguous.
public typealias AliveReport = UV.AliveReport
public typealias Datagram = UV.Datagram
public typealias DatagramBatch = UV.DatagramBatch
public typealias Diagnostic = UV.Diagnostic
public typealias Diagnostics = UV.Diagnostics
public typealias DirectoryEntry = UV.DirectoryEntry
public typealias ExitStatus = UV.ExitStatus
public typealias FileAccess = UV.FileAccess
public typealias FileChange = UV.FileChange
public typealias FileKind = UV.FileKind
public typealias FileLock = UV.FileLock
public typealias FileOwner = UV.FileOwner
public typealias FileStatus = UV.FileStatus
public typealias FileTime = UV.FileTime
public typealias LocalAddress = UV.LocalAddress
public typealias LocalMessage = UV.LocalMessage
public typealias Loop = UV.Loop
public typealias MulticastInterface = UV.MulticastInterface
public typealias NameRequest = UV.NameRequest
public typealias PageCache = UV.PageCache
public typealias PassedDescriptor = UV.PassedDescriptor
public typealias PeerCredentials = UV.PeerCredentials
public typealias PipeHandle = UV.PipeHandle
public typealias ProcessOptions = UV.ProcessOptions
public typealias Processors = UV.Processors
public typealias Signal = UV.Signal
public typealias SocketAddress = UV.SocketAddress
public typealias StreamHandle = UV.StreamHandle
public typealias SystemInfo = UV.SystemInfo
public typealias TCPHandle = UV.TCPHandle
public typealias TCPKeepAlive = UV.TCPKeepAlive
public typealias TCPOptions = UV.TCPOptions
public typealias TTYHandle = UV.TTYHandle
public typealias TerminalMode = UV.TerminalMode
public typealias TerminalSize = UV.TerminalSize
public typealias ThreadPool = UV.ThreadPool
public typealias Trail = UV.Trail
public typealias TreeEntry = UV.TreeEntry
public typealias TreeRequest = UV.TreeRequest
public typealias UDPOptions = UV.UDPOptions
public typealias VolumeStatus = UV.VolumeStatus

// As in UV, whose operators a file sees only if it imports UV itself; this one gives way there.
extension UVError.Code {
    /// Lets a `catch` name a code: `catch UVError.Code.timedOut { … }`.
    @_disfavoredOverload
    public static func ~= (code: Self, error: any Error) -> Bool { (error as? UVError)?.code == code }
}
