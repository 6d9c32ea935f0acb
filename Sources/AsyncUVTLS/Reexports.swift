// The types of AsyncUV and UV that stand in signatures of this module: `import AsyncUVTLS` is enough to name them.
public import AsyncUV
public import UV

@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
public typealias ByteStream = AsyncUV.ByteStream
public typealias EventLoop = AsyncUV.EventLoop
public typealias EventLoopGroup = AsyncUV.EventLoopGroup
public typealias FileTime = UV.FileTime
public typealias LoopStream = AsyncUV.LoopStream
public typealias SocketAddress = UV.SocketAddress
public typealias StreamConnection = AsyncUV.StreamConnection
public typealias StreamHandle = UV.StreamHandle
public typealias TCPConnection = AsyncUV.TCPConnection
public typealias TCPListener = AsyncUV.TCPListener
public typealias TCPOptions = UV.TCPOptions
