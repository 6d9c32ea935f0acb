// The types of the callback layer that stand in signatures of this one.
@_exported public import struct UV.KeepAlive
@_exported public import class UV.Loop
@_exported public import struct UV.SocketAddress
@_exported public import struct UV.UVError
@_exported public import enum UV.Processors
