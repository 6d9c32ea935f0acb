// The types of HTTPTypes, AsyncUV and UV that stand in signatures of this module: `import AsyncUVHTTP` is enough to name them.
public import AsyncUV

@_exported public import struct AsyncUV.LoopClock
@_exported public import struct HTTPTypes.HTTPField
@_exported public import struct HTTPTypes.HTTPFields
@_exported public import struct HTTPTypes.HTTPRequest
@_exported public import struct HTTPTypes.HTTPResponse
@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
public typealias ByteStream = AsyncUV.ByteStream
public typealias EventLoop = AsyncUV.EventLoop
public typealias File = AsyncUV.File
public typealias LocalListener = AsyncUV.LocalListener
public typealias PeerCredentials = AsyncUV.PeerCredentials
public typealias SocketAddress = AsyncUV.SocketAddress
public typealias TCPListener = AsyncUV.TCPListener
