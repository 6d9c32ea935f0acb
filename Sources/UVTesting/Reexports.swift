// The types of AsyncUV and UV that stand in signatures of this module: `import UVTesting` is enough to name them.
public import AsyncUV

@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
public typealias Datagram = AsyncUV.Datagram
public typealias EventLoop = AsyncUV.EventLoop
public typealias SocketAddress = AsyncUV.SocketAddress
