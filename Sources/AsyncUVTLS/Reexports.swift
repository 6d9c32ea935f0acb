// The types of AsyncUV and UV that stand in signatures of this module: `import AsyncUVTLS` is enough to name them.
public import AsyncUV
public import UV

// Makes the members of AsyncUV's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
public typealias ByteLines = AsyncUV.ByteLines
public typealias ByteStream = AsyncUV.ByteStream
public typealias EventLoop = AsyncUV.EventLoop
public typealias EventLoopGroup = AsyncUV.EventLoopGroup
public typealias FileTime = UV.FileTime
public typealias Handle = UV.Handle
public typealias Lines = AsyncUV.Lines
public typealias LoopStream = AsyncUV.LoopStream
public typealias SocketAddress = UV.SocketAddress
public typealias StreamChunks = AsyncUV.StreamChunks
public typealias StreamConnection = AsyncUV.StreamConnection
public typealias StreamHandle = UV.StreamHandle
public typealias TCPConnection = AsyncUV.TCPConnection
public typealias TCPListener = AsyncUV.TCPListener
public typealias TCPOptions = UV.TCPOptions
