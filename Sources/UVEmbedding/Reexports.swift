// The types of the other modules that stand in signatures of this one: `import UVEmbedding` is enough to name them.
public import AsyncUV
public import Readiness
public import UV

// Makes the members of AsyncUV's and Readiness's types visible, too.
@_exported public import struct AsyncUV.LoopClock
@_exported public import struct Readiness.SystemError
@_exported public import struct SystemPackage.FileDescriptor
@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// An event loop.
public typealias Loop = UV.Loop
/// What a descriptor is ready for.
public typealias ReadyEvent = Readiness.ReadyEvent
/// Wakes a loop from any thread.
public typealias Waker = UV.Waker
