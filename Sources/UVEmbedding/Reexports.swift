// The types of the other modules that stand in signatures of this one: `import UVEmbedding` is enough to name them.
public import AsyncUV
public import Readiness
public import UV

@_exported public import struct AsyncUV.LoopClock
@_exported public import struct Readiness.ReadyEvent
@_exported public import struct SystemPackage.FileDescriptor
@_exported public import struct UV.UVError

// Aliases for the reason that AsyncUV gives at its own.
/// A loop that runs async code.
public typealias EventLoop = AsyncUV.EventLoop
/// An event loop.
public typealias Loop = UV.Loop
/// A system call that the kernel refused.
public typealias SystemError = Readiness.SystemError
/// Wakes a loop from any thread.
public typealias Waker = UV.Waker
