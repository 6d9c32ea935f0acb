internal import UVPlatform

/// Says which limit of the system is in the way of a watch: the system itself says only that a disk is full, or that too many
/// files are open.
enum WatchLimit {
    /// The error of a watch that was refused.
    static func error(_ code: UVError.Code, _ operation: String, of path: String) -> UVError {
        switch code {
        case .noSpace:
            UVError(code, in: operation, of: "\(path): no more watches for this user, see \(limit("max_user_watches"))")
        case .tooManyOpenFiles:
            UVError(
                code, in: operation,
                of: "\(path): no more descriptors for this process, or watchers for this user, see "
                    + limit("max_user_instances"))
        default: UVError(code, in: operation, of: path)
        }
    }

    private static func limit(_ name: String) -> String {
        let value = number("/proc/sys/fs/inotify/\(name)").map { " = \($0)" } ?? ""
        return "fs.inotify.\(name)\(value)"
    }

    private static func number(_ path: String) -> Int? {
        guard let file = unsafe fopen(path, "re") else { return nil }
        defer { unsafe fclose(file) }
        var line = [CChar](repeating: 0, count: 32)
        guard unsafe fgets(&line, CInt(line.count), file) != nil else { return nil }
        return Int(String(decoding: line.prefix { $0 > 0x20 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
