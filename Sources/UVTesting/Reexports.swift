// The types of AsyncUV and UV that stand in signatures of this module: `import UVTesting` is enough to name them.
public import AsyncUV

@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
/// A datagram that was received.
public typealias Datagram = AsyncUV.Datagram
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// The numeric address of a socket.
public typealias SocketAddress = AsyncUV.SocketAddress
