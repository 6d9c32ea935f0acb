internal import CLibuv
internal import CPlatform
public import SystemPackage

extension FileOperation where Value == [[UInt8]] {
    /// Reads into several arrays of given sizes, one after the other, in one call of the system: the result are the arrays, cut to
    /// what came.
    ///
    /// - Parameter counts: More than 2 GiB in all are `.invalidArgument`.
    /// - Parameter offset: See ``FileRequest/read(from:upTo:at:on:onDone:)``.
    ///
    /// Calls `uv_fs_read`.
    public static func read(from file: FileDescriptor, counts: [Int], at offset: Int64?) -> Self {
        // The most that a system reads at once: 2 GiB less a page.
        let largest = 0x7fff_f000
        let total = counts.reduce(0) { $1 < 0 || $0 < 0 ? -1 : min($0 + min($1, largest + 1), largest + 1) }
        var fault = fault("read", [], ["count": Int64(total), "offset": offset ?? 0])
        if total > largest { fault = UVError(.invalidArgument, in: "read", of: "more than 2 GiB at once") }
        return Self("read", fault) { subject in
            let file = OpenFile(file, subject)
            return { (_: PoolRequest?) throws(UVError) in try Files.read(from: file, counts: counts, at: offset) }
        }
    }
}

extension FileOperation where Value == Int {
    /// Writes bytes, as many as the system takes at once: on a full volume fewer, then none with `.noSpace`. A pipe without room
    /// is `.resourceTemporarilyUnavailable`, if its descriptor does not block.
    ///
    /// - Parameter offset: Where to write; `nil` writes at the file's position and moves it.
    ///
    /// Calls `uv_fs_write`.
    public static func write(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int64?) -> Self {
        write(contentsOf: [bytes], to: file, at: offset)
    }

    /// Writes several arrays in one call of the system. Otherwise as ``write(_:to:at:)``.
    ///
    /// Calls `uv_fs_write`.
    public static func write(contentsOf chunks: [[UInt8]], to file: FileDescriptor, at offset: Int64?) -> Self {
        Self("write", on: file, ["offset": offset ?? 0]) { file throws(UVError) in
            try Files.write(chunks, to: file, at: offset)
        }
    }

    /// Copies bytes from a file to another file, or to a socket, without a trip through this process: the number of bytes sent, 0 at
    /// the end of the source, often fewer than asked for. A socket without room is `.resourceTemporarilyUnavailable`, a pseudo-file
    /// that cannot be sent to sockets `.invalidArgument`.
    ///
    /// Replaces `uv_fs_sendfile`: where copy_file_range refuses sockets, 1.44.2 copies by itself, 8 KiB at a time, and keeps a
    /// thread of the pool until the peer has taken all of it. Four that read slowly would hold up every file.
    public static func send(
        from source: FileDescriptor, at offset: Int64, count: Int, to destination: FileDescriptor
    ) -> Self {
        Self("send", on: source, ["offset": offset, "count": Int64(count)]) { source throws(UVError) in
            while true {
                let sent = cplatform_send(source.rawValue, off_t(offset), count, destination.rawValue)
                if sent >= 0 { return sent }
                if UVError.Code.lastSystemError == .interrupted { continue }
                throw UVError(.lastSystemError, in: "send", of: "\(source.text) to \(OpenFile(destination).text)")
            }
        }
    }
}

extension FileOperation where Value == Void {
    /// Writes all of the bytes, in as many calls of the system as it takes. The text of an error says how many bytes were written
    /// before it.
    ///
    /// - Parameter offset: Where to write; `nil` writes behind the end, wherever that is when the write begins. In a pipe or
    ///   terminal only that works; if its descriptor does not block, the request waits for room without a thread.
    ///
    /// Calls `uv_fs_write`.
    public static func writeAll(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int64?) -> Self {
        guard let offset else { return append(bytes, to: file) }
        return Self("write", on: file, ["offset": offset]) { file throws(UVError) in
            try Files.writeAll(bytes, to: file, at: offset)
        }
    }

    private static func append(_ bytes: [UInt8], to file: FileDescriptor) -> Self {
        Self("append") { subject in
            let file = OpenFile(file, subject)
            var done = 0
            return { (request: PoolRequest?) throws(UVError) in
                do throws(UVError) { return try Files.append(bytes, &done, to: file) } catch {
                    guard error.code == .resourceTemporarilyUnavailable, let request else { throw error }
                    request.wait = .ready(file.descriptor, .writable)
                    return nil
                }
            }
        }
    }
}

/// Whole files.
extension FileOperation where Value == [UInt8] {
    /// Reads a file from its start to its end.
    ///
    /// A FIFO, a pipe or a terminal (`/dev/stdin`) ends when its last writer closes it; the wait for that takes no thread.
    ///
    /// - Parameter limit: A file with more bytes is `.fileTooLarge`. A file of more than half of the machine's memory is
    ///   `.noMemory`, whatever the limit.
    ///
    /// Calls `uv_fs_open`, `uv_fs_fstat`, `uv_fs_read`, `uv_fs_close`.
    public static func readFile(_ path: FilePath, limit: Int = 64 << 20) -> Self {
        Self("readFile", fault("readFile", [path], ["limit": Int64(limit)])) { _ in
            WholeRead(path, limit: limit) { () throws(UVError) in try Files.run(.open(path, .readOnly)) }.goOn
        }
    }
}

extension FileOperation where Value == Void {
    /// Gives a file new content, whole or not at all: whoever opens the name gets the old bytes or the new ones, also after a
    /// crash. After an error the old bytes are there. The one exception is a disk that fails after the new content has taken the
    /// name: that is `.ioError`.
    ///
    /// The bytes are written to a new file in the same directory, which then takes the name. It gets the old file's permissions,
    /// and its owner where that is allowed. Other hard links keep the old content. A symbolic link stays, and its target is
    /// replaced.
    ///
    /// Some files cannot be replaced. They are written in place, as `>` of a shell does: devices, pipes and terminals, files that
    /// the system makes up (`/proc`, `/sys`), targets of links there (`/dev/stdout`), and mount points. The wait for room in a
    /// pipe, or for a FIFO's first reader, takes no thread. A pipe without a reader is `.brokenPipe`.
    ///
    /// - Parameter permissions: The permissions of a file that did not exist, less the process's mask. By default everybody may
    ///   read and write.
    /// - Parameter durably: Whether the request ends only when all bytes are on the disk.
    ///
    /// Calls `uv_fs_open`, `uv_fs_write`, `uv_fs_fsync`, `uv_fs_rename`, `uv_fs_close`.
    public static func writeFile(
        _ path: FilePath, _ bytes: [UInt8], permissions: FilePermissions? = nil, durably: Bool = true
    ) -> Self {
        Self("writeFile", fault("writeFile", [path])) { _ in
            WholeWrite(path, bytes, permissions: permissions, durably: durably, at: .path(path)).goOn
        }
    }
}

extension FileOperation where Value == TreeWalk.Part {
    /// Goes on with a walk: up to 256 entries, or to the next directory. `.resourceBusy` while another request goes on with it.
    ///
    /// Replaces `uv_fs_scandir`: it takes paths, which others may change, and which may be too long.
    public static func goOn(with walk: TreeWalk) -> Self {
        Self("walk", fault("walk", [walk.path])) { _ in { (_: PoolRequest?) throws(UVError) in try walk.goOn() } }
    }
}
