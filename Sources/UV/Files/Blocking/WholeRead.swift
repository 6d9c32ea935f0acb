internal import CLibuv
internal import SystemPackage

/// Reads a file from its start to its end: one trip to the pool, or more where a pipe makes it wait.
final class WholeRead {
    private let path: FilePath
    private let limit: Int
    private let open: () throws(UVError) -> FileDescriptor
    private var file: FileDescriptor?
    private var bytes: [UInt8] = []
    private var count = 0

    /// - Parameter path: For errors.
    init(_ path: FilePath, limit: Int, open: @escaping () throws(UVError) -> FileDescriptor) {
        self.path = path
        self.limit = limit
        self.open = open
    }

    deinit { close() }

    /// - Returns: `nil` where the request has to wait.
    func goOn(_ request: PoolRequest?) throws(UVError) -> [UInt8]? {
        // On this thread: a file system that is a program may let it wait.
        defer { if request?.wait == nil { close() } }
        do throws(UVError) {
            if let file { return try readRest(of: file) }
            let file = try open()
            self.file = file
            let status = try Files.run(.status(of: file))
            if status.kind == .fifo {
                // To read before somebody has opened the other end would look like the end.
                request?.wait = .ready(file, .readable)
                return nil
            }
            try prepare(for: status)
            let bytes = try readRest(of: file)
            LocalVolumes.learn(status.device, from: file)
            return bytes
        } catch {
            if error.code == .resourceTemporarilyUnavailable {
                // While it is opened: another process has a lease on it, and is asked by the system to give it up.
                request?.wait = file.map { .ready($0, .readable) } ?? .change
                return nil
            }
            let reason = error.code == .fileTooLarge ? ", which is larger than \(limit) bytes" : ""
            throw UVError(error.code, in: "readFile", of: path.string + reason)
        }
    }

    /// Swift ends the process when it gets no memory for an array.
    private static let mostInMemory = Int(clamping: uv_get_total_memory() / 2)

    /// A pseudo-file says 0 and has more; one byte behind the end shows that it is the end.
    private func prepare(for status: FileStatus) throws(UVError) {
        let expected = status.kind == .regular ? Int(status.size) : 0
        if expected > limit { throw UVError(.fileTooLarge, in: "readFile") }
        if expected > Self.mostInMemory { throw UVError(.noMemory, in: "readFile") }
        bytes = .unset(count: max(expected, 4_095) + 1)
    }

    private func readRest(of file: FileDescriptor) throws(UVError) -> [UInt8] {
        while true {
            if count == bytes.count {
                if count > Self.mostInMemory / 2 { throw UVError(.noMemory, in: "readFile") }
                bytes += [UInt8].unset(count: max(count, 4_096))
            }
            let more = try Files.read(into: &bytes, from: count, of: OpenFile(file, path), at: nil)
            if more == 0 { break }
            count += more
            if count > limit { throw UVError(.fileTooLarge, in: "readFile") }
        }
        bytes.removeLast(bytes.count - count)
        var all: [UInt8] = []
        swap(&all, &bytes)
        return all
    }

    private func close() {
        if let file = file.take() { try? Files.run(.close(file)) }
    }
}
