internal import SystemPackage
internal import UVPlatform

/// Where a whole file is written: how its name is found.
struct WritePlace {
    /// What has the name, through links.
    let status: () throws(UVError) -> FileStatus
    /// Begins to replace what is there; `nil` for what cannot be replaced.
    let replacement: (_ old: FileStatus?, _ permissions: FilePermissions?) throws(UVError) -> FileReplacement?
    /// Opens what is there for writing.
    let open: (FileDescriptor.OpenOptions) throws(UVError) -> FileDescriptor

    static func path(_ path: FilePath) -> WritePlace {
        WritePlace { () throws(UVError) in
            try Files.run(.status(of: path))
        } replacement: { old, permissions throws(UVError) in
            guard let target = try Files.linkTarget(of: path) else { return nil }
            return try FileReplacement(of: target, old: old, permissions: permissions)
        } open: { options throws(UVError) in
            try Files.run(.open(path, .writeOnly, options: options))
        }
    }

    static func path(_ path: FilePath, below directory: FileDescriptor) -> WritePlace {
        WritePlace { () throws(UVError) in
            try Files.run(.status(of: path, below: directory))
        } replacement: { old, permissions throws(UVError) in
            let target = try NamesBelow(directory).linkTarget(of: path, "writeFile", path.string)
            guard let target else { return nil }
            return try FileReplacement(of: target.name, in: target.parent, old: old, permissions: permissions)
        } open: { options throws(UVError) in
            try Files.run(.open(path, below: directory, .writeOnly, options: options)).descriptor
        }
    }
}
