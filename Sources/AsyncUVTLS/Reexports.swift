// The types of AsyncUV and UV that stand in signatures of this module: `import AsyncUVTLS` is enough to name them.
public import AsyncUV
public import UV

// Makes the members of AsyncUV's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
/// The lines of a stream, as bytes.
public typealias ByteLines = AsyncUV.ByteLines
/// A connection of bytes, both ways.
public typealias ByteStream = AsyncUV.ByteStream
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// Several loops, one a processor, for servers that need more than one.
public typealias EventLoopGroup = AsyncUV.EventLoopGroup
/// A point in time as file systems keep it.
public typealias FileTime = UV.FileTime
/// A handle of the callback layer.
public typealias Handle = UV.Handle
/// The lines of a stream, as text.
public typealias Lines = AsyncUV.Lines
/// A stream of the callback layer on its loop.
public typealias LoopStream = AsyncUV.LoopStream
/// The numeric address of a socket.
public typealias SocketAddress = UV.SocketAddress
/// The chunks of a connection, as they come.
public typealias StreamChunks = AsyncUV.StreamChunks
/// A connection that is a stream of the callback layer.
public typealias StreamConnection = AsyncUV.StreamConnection
/// A connection of bytes, both ways.
public typealias StreamHandle = UV.StreamHandle
/// A TCP connection.
public typealias TCPConnection = AsyncUV.TCPConnection
/// A TCP socket that accepts connections.
public typealias TCPListener = AsyncUV.TCPListener
/// Options of a TCP socket, for the time before it connects or listens.
public typealias TCPOptions = UV.TCPOptions
