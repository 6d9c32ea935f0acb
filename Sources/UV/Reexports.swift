// The types of swift-system that stand in signatures of this module: `import UV` is enough to name them.
public import SystemPackage

@_exported public import struct SystemPackage.FilePath
// Aliases, because an exported struct silently wins over one of the same name that comes with its module: NIOCore has a
// `FileDescriptor`, too.
/// A file descriptor of swift-system.
public typealias FileDescriptor = SystemPackage.FileDescriptor
/// Who may do what with a file.
public typealias FilePermissions = SystemPackage.FilePermissions
