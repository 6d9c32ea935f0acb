// The types of the callback layer and of swift-system that stand in signatures of this one.
@_exported public import struct SystemPackage.FileDescriptor
@_exported public import struct SystemPackage.FilePath
@_exported public import struct SystemPackage.FilePermissions
@_exported public import struct UV.DirectoryEntry
@_exported public import struct UV.FileAccess
@_exported public import enum UV.FileKind
@_exported public import struct UV.FileOwner
@_exported public import struct UV.FileStatus
@_exported public import struct UV.KeepAlive
@_exported public import class UV.Loop
@_exported public import enum UV.Processors
@_exported public import struct UV.SocketAddress
@_exported public import enum UV.ThreadPool
@_exported public import struct UV.UVError
@_exported public import struct UV.VolumeStatus
