// The types of AsyncUV and UV that stand in signatures of this module: `import UVTesting` is enough to name them.
public import AsyncUV

// Makes the members of AsyncUV's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
/// The lines of a stream, as bytes.
public typealias ByteLines = AsyncUV.ByteLines
/// A connection of bytes, both ways.
public typealias ByteStream = AsyncUV.ByteStream
/// A datagram that was received.
public typealias Datagram = AsyncUV.Datagram
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// The lines of a stream, as text.
public typealias Lines = AsyncUV.Lines
/// The numeric address of a socket.
public typealias SocketAddress = AsyncUV.SocketAddress
