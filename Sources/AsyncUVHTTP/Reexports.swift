// The types of HTTPTypes, AsyncUV and UV that stand in signatures of this module: `import AsyncUVHTTP` is enough to name them.
public import AsyncUV

@_exported public import struct AsyncUV.LoopClock
@_exported public import struct HTTPTypes.HTTPField
@_exported public import struct HTTPTypes.HTTPFields
@_exported public import struct HTTPTypes.HTTPRequest
@_exported public import struct HTTPTypes.HTTPResponse
@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
/// A connection of bytes, both ways.
public typealias ByteStream = AsyncUV.ByteStream
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// An open file.
public typealias File = AsyncUV.File
/// A local socket (Unix domain) that accepts connections from this machine.
public typealias LocalListener = AsyncUV.LocalListener
/// The process at the other end of a local socket, as the kernel noted it when the connection was made.
public typealias PeerCredentials = AsyncUV.PeerCredentials
/// The numeric address of a socket.
public typealias SocketAddress = AsyncUV.SocketAddress
/// A TCP socket that accepts connections.
public typealias TCPListener = AsyncUV.TCPListener
