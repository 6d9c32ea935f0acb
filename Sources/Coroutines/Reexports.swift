// The types of AsyncUV and UV that stand in signatures of this module: `import Coroutines` is enough to name them.
public import AsyncUV

@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError
// An alias for the reason that AsyncUV gives at its own.
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
