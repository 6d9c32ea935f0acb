// The types of other modules that stand in signatures of this one: `import UVMainExecutor` is enough to name them.
public import AsyncUV

// Makes the members of AsyncUV's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct UV.UVError
// An alias for the reason that AsyncUV gives at its own.
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
