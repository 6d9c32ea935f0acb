internal import CLibuv
internal import Synchronization
public import SystemPackage

/// An open directory whose entries are read in batches, in the file system's order: for directories of any size. See
/// ``FileOperation/openDirectory(_:)``. One that is dropped open closes itself on the spot.
public final class DirectoryReader: Sendable {
    let path: FilePath
    private let list: Mutex<List>

    /// libuv's directory.
    @safe
    private struct List: ~Copyable {
        var raw: UnsafeMutablePointer<uv_dir_t>?

        mutating func close() {
            guard let raw = unsafe raw else { return }
            unsafe self.raw = nil
            unsafe List.close(raw)
        }

        deinit {
            guard let raw = unsafe raw else { return }
            unsafe List.close(raw)
        }

        private static func close(_ raw: UnsafeMutablePointer<uv_dir_t>) {
            var request = unsafe uv_fs_t()
            unsafe uv_fs_closedir(nil, &request, raw, nil)
            unsafe uv_fs_req_cleanup(&request)
        }
    }

    fileprivate init(_ path: FilePath) throws(UVError) {
        self.path = path
        let raw = unsafe try fileCall("entries", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_opendir(nil, raw, $0, nil) }
        } _: {
            unsafe UInt(bitPattern: $0.pointee.ptr)
        }
        list = Mutex(unsafe List(raw: UnsafeMutablePointer(bitPattern: raw)))
    }

    /// Lends the directory, which one thread may use at a time.
    private func withList<Value: Sendable>(
        _ body: (inout List, FilePath) throws(UVError) -> Value
    ) throws(UVError) -> Value {
        let value = try list.withLockIfAvailable { list throws(UVError) in
            if unsafe list.raw == nil { throw UVError(.badFileDescriptor, in: "entries", of: path.string) }
            return try body(&list, path)
        }
        guard let value else { throw UVError(.resourceBusy, in: "entries", of: path.string) }
        return value
    }

    fileprivate func read(upTo limit: Int) throws(UVError) -> [DirectoryEntry] {
        try withList { list, path throws(UVError) in
            var entries: [DirectoryEntry] = []
            // A batch of names that are all refused is not the end.
            var isAtEnd = false
            while entries.isEmpty, !isAtEnd, let raw = unsafe list.raw {
                let room = UnsafeMutablePointer<uv_dirent_t>.allocate(capacity: limit)
                defer { unsafe room.deallocate() }
                unsafe raw.pointee.dirents = unsafe room
                unsafe raw.pointee.nentries = limit
                unsafe try fileCall("entries", of: path.string) {
                    unsafe uv_fs_readdir(nil, $0, raw, nil)
                } _: {
                    for index in unsafe 0..<$0.pointee.result {
                        if let entry = unsafe DirectoryEntry(room[index]) { entries.append(entry) }
                    }
                    isAtEnd = unsafe $0.pointee.result == 0
                }
            }
            return entries
        }
    }

    fileprivate func close() throws(UVError) { try withList { list, _ in list.close() } }
}

extension FileOperation where Value == DirectoryReader {
    /// Opens a directory, to read it in batches. Calls `uv_fs_opendir`.
    public static func openDirectory(_ path: FilePath) -> Self {
        Self("entries", path) { () throws(UVError) in try DirectoryReader(path) }
    }
}

extension FileOperation where Value == [DirectoryEntry] {
    /// Reads the next entries, without `.` and `..`; none at the end. It is `.resourceBusy` while another request uses the directory,
    /// `.badFileDescriptor` when it is closed. Calls `uv_fs_readdir`.
    ///
    /// - Parameter limit: The most entries to read at a time, from 1 to 65,536; another one is `.invalidArgument`.
    public static func read(_ directory: DirectoryReader, upTo limit: Int = 256) -> Self {
        let isFine = (1...65_536).contains(limit)
        let fault =
            isFine ? nil : UVError(.invalidArgument, in: "entries", of: "\(directory.path), up to \(limit) entries")
        return Self("entries", fault) { _ in
            { (_: PoolRequest?) throws(UVError) in try directory.read(upTo: limit) }
        }
    }
}

extension FileOperation where Value == Void {
    /// Closes a directory. Errors as of ``read(_:upTo:)``. Calls `uv_fs_closedir`.
    public static func close(_ directory: DirectoryReader) -> Self {
        Self("entries") { _ in { (_: PoolRequest?) throws(UVError) in try directory.close() } }
    }
}
