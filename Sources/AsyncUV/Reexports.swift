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
/// What keeps a loop alive and what else is on it.
public typealias AliveReport = UV.AliveReport
/// A datagram that was received.
public typealias Datagram = UV.Datagram
/// Datagrams that come or go in few system calls.
public typealias DatagramBatch = UV.DatagramBatch
/// Something that the library has to say and that no caller is there to be told.
public typealias Diagnostic = UV.Diagnostic
/// Where the library says what no caller is there to be told.
public typealias Diagnostics = UV.Diagnostics
/// A name in a directory.
public typealias DirectoryEntry = UV.DirectoryEntry
/// How a process has ended.
public typealias ExitStatus = UV.ExitStatus
/// What a process may want to do with a file.
public typealias FileAccess = UV.FileAccess
/// Something that has happened to a file or directory that is watched.
public typealias FileChange = UV.FileChange
/// What sort of thing a name stands for.
public typealias FileKind = UV.FileKind
/// How a lock on a file is shared.
public typealias FileLock = UV.FileLock
/// The user and group that own a file, by number.
public typealias FileOwner = UV.FileOwner
/// What the system knows of a file.
public typealias FileStatus = UV.FileStatus
/// A point in time as file systems keep it.
public typealias FileTime = UV.FileTime
/// The address of a local socket (Unix domain).
public typealias LocalAddress = UV.LocalAddress
/// Bytes and descriptors that travel together over a local socket (`SCM_RIGHTS`).
public typealias LocalMessage = UV.LocalMessage
/// An event loop.
public typealias Loop = UV.Loop
/// The network interface that datagrams to a group go through.
public typealias MulticastInterface = UV.MulticastInterface
/// Looks up the name of an address in libuv's thread pool.
public typealias NameRequest = UV.NameRequest
/// Reads on the calling thread what the system has in memory anyway.
public typealias PageCache = UV.PageCache
/// A descriptor that another process has sent.
public typealias PassedDescriptor = UV.PassedDescriptor
/// The process at the other end of a local socket, as the kernel noted it when the connection was made.
public typealias PeerCredentials = UV.PeerCredentials
/// A local socket (Unix domain), as a connection or a listener, or an end of a pipe.
public typealias PipeHandle = UV.PipeHandle
/// In what surroundings a child process runs.
public typealias ProcessOptions = UV.ProcessOptions
/// How many processors this process may use.
public typealias Processors = UV.Processors
/// What a service manager that has started this process has opened for it, and wants to hear.
public typealias ServiceManager = UV.ServiceManager
/// A signal to a process.
public typealias Signal = UV.Signal
/// The numeric address of a socket.
public typealias SocketAddress = UV.SocketAddress
/// A connection of bytes, both ways.
public typealias StreamHandle = UV.StreamHandle
/// What the system knows of itself, of this process and of its user.
public typealias SystemInfo = UV.SystemInfo
/// A TCP socket.
public typealias TCPHandle = UV.TCPHandle
/// When the kernel asks a silent peer whether it is still there.
public typealias TCPKeepAlive = UV.TCPKeepAlive
/// Options of a TCP socket, for the time before it connects or listens.
public typealias TCPOptions = UV.TCPOptions
/// A terminal.
public typealias TTYHandle = UV.TTYHandle
/// What a terminal does with keys before a program reads them.
public typealias TerminalMode = UV.TerminalMode
/// How many characters a terminal has.
public typealias TerminalSize = UV.TerminalSize
/// The threads that do what blocks.
public typealias ThreadPool = UV.ThreadPool
/// Addresses of code, innermost first.
public typealias Trail = UV.Trail
/// Something that a walk has found below the directory where it began.
public typealias TreeEntry = UV.TreeEntry
/// Copies or removes a file or a directory with all that is in it, in the thread pool.
public typealias TreeRequest = UV.TreeRequest
/// Options of a UDP socket, for the time before it has an address.
public typealias UDPOptions = UV.UDPOptions
/// What the system knows of the volume that a file is on.
public typealias VolumeStatus = UV.VolumeStatus

// As in UV, whose operators a file sees only if it imports UV itself; this one gives way there.
extension UVError.Code {
    /// Lets a `catch` name a code: `catch UVError.Code.timedOut { … }`.
    @_disfavoredOverload
    public static func ~= (code: Self, error: any Error) -> Bool { (error as? UVError)?.code == code }
}
