internal import SystemPackage

/// The cgroup of this process, and the groups that contain it.
struct ControlGroup {
    /// Where the system shows all groups.
    let root: FilePath
    /// Of this one, below the root.
    let path: String

    init(under root: FilePath, path: String) {
        self.root = root
        self.path = path
    }

    /// This process's, for a controller such as `cpu`.
    init(of controller: String) {
        let lines = Self.text("/proc/self/cgroup")?.split(separator: "\n") ?? []
        let fields = lines.map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
        let own = fields.first { field in
            field.count == 3 && (field[1].isEmpty || field[1].split(separator: ",").contains { $0 == controller })
        }
        self.init(under: "/sys/fs/cgroup", path: own.map { String($0[2]) } ?? "/")
    }

    /// The smallest of the numbers that the group and those around it have; `nil` if none has one.
    ///
    /// - Parameter number: Of a group, by the path below the root, and by its folder.
    func smallest<Number: Comparable>(_ number: (_ folder: FilePath) -> Number?) -> Number? {
        smallest { folder, _ in number(folder) }
    }

    func smallest<Number: Comparable>(_ number: (_ folder: FilePath, _ group: FilePath) -> Number?) -> Number? {
        var smallest: Number?
        var group = FilePath(path)
        while true {
            if let number = number(root.appending(group.components), group) {
                smallest = smallest.map { min($0, number) } ?? number
            }
            guard group.removeLastComponent() else { return smallest }
        }
    }

    /// The words of a small file; `nil` if there is none.
    static func words(_ path: FilePath) -> [Substring]? { text(path)?.split(whereSeparator: \.isWhitespace) }

    private static func text(_ path: FilePath) -> String? {
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
        defer { file.closeIgnoringErrors() }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        guard let count = try? unsafe bytes.withUnsafeMutableBytes({ unsafe try file.read(into: $0) }) else {
            return nil
        }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
