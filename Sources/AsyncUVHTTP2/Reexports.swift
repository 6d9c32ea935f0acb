// The types of AsyncUV, AsyncUVHTTP and UV that stand in signatures of this module: `import AsyncUVHTTP2` is enough to name them.
public import AsyncUV
public import AsyncUVHTTP

// The first two make the members of their modules' types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct AsyncUVHTTP.HTTPRefusal
@_exported public import struct HTTPTypes.HTTPField
@_exported public import struct HTTPTypes.HTTPFields
@_exported public import struct HTTPTypes.HTTPRequest
@_exported public import struct HTTPTypes.HTTPResponse
@_exported public import struct UV.UVError
// Aliases for the reason that AsyncUV gives at its own.
/// A connection of bytes, both ways.
public typealias ByteStream = AsyncUV.ByteStream
/// The body of a message, read piece by piece.
public typealias HTTPBody = AsyncUVHTTP.HTTPBody
/// Writes the body of an answer piece by piece.
public typealias HTTPBodyWriter = AsyncUVHTTP.HTTPBodyWriter
/// How much of a message is taken.
public typealias HTTPLimits = AsyncUVHTTP.HTTPLimits
/// A status and fields that are written once, for many answers.
public typealias HTTPPreparedHead = AsyncUVHTTP.HTTPPreparedHead
/// Serves HTTP/1.1 and 1.0 over streams of bytes.
public typealias HTTPServer = AsyncUVHTTP.HTTPServer
/// What a handler did wrong.
public typealias HTTPServerError = AsyncUVHTTP.HTTPServerError
/// A request that a handler answers.
public typealias HTTPServerRequest = AsyncUVHTTP.HTTPServerRequest
/// The answer to a request.
public typealias HTTPServerResponse = AsyncUVHTTP.HTTPServerResponse
/// The numeric address of a socket.
public typealias SocketAddress = AsyncUV.SocketAddress
/// A TCP socket that accepts connections.
public typealias TCPListener = AsyncUV.TCPListener
