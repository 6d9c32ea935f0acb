// The types of AsyncUV and UV that stand in signatures of this module: `import UVTesting` is enough to name them.
public import AsyncUV

// Makes the members of AsyncUV's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
public typealias ByteLines = AsyncUV.ByteLines
public typealias ByteStream = AsyncUV.ByteStream
public typealias Datagram = AsyncUV.Datagram
public typealias EventLoop = AsyncUV.EventLoop
public typealias Lines = AsyncUV.Lines
public typealias SocketAddress = AsyncUV.SocketAddress
