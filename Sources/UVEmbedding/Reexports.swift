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
public typealias EventLoop = AsyncUV.EventLoop
public typealias Loop = UV.Loop
public typealias ReadyEvent = Readiness.ReadyEvent
public typealias Waker = UV.Waker
