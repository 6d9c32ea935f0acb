// The types of swift-system that stand in signatures of this module: `import UV` is enough to name them.
@_exported public import struct SystemPackage.FileDescriptor
@_exported public import struct SystemPackage.FilePath
@_exported public import struct SystemPackage.FilePermissions
