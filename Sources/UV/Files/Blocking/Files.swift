internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// The operations on files, done at once by the calling thread: threads of the pool use them, one by one or fused.
enum Files {
    // MARK: Open files

    /// Never waits: a FIFO without a writer would hold its thread for ever. Regular files know the flag only when
    /// somebody has a lease on them.
    static func open(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode, _ options: FileDescriptor.OpenOptions,
        _ permissions: FilePermissions?
    ) throws(UVError) -> FileDescriptor {
        let flags = mode.rawValue | options.rawValue | O_CLOEXEC | O_NONBLOCK
        let permissions = CInt((permissions ?? .ownerReadWrite).rawValue)
        return unsafe try fileCall("open", of: path.string) { raw in
            unsafe path.withPlatformString { unsafe uv_fs_open(nil, raw, $0, flags, permissions, nil) }
        } _: {
            unsafe FileDescriptor(rawValue: CInt($0.pointee.result))
        }
    }

    /// Opens for reading what is below an open directory: `.improperLink` for what leads out of it, whatever others exchange
    /// for links meanwhile.
    static func open(_ path: FilePath, below directory: FileDescriptor) throws(UVError) -> FileDescriptor {
        let file = unsafe path.withPlatformString {
            unsafe cplatform_open_below(directory.rawValue, $0, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        }
        return FileDescriptor(rawValue: try checkSystem(file, "open", of: path.string))
    }

    static func close(_ file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("close", of: file.text) { unsafe uv_fs_close(nil, $0, file.rawValue, nil) }
    }

    /// - Parameter offset: `nil` reads at the file's position and moves it.
    /// - Returns: What was read; empty at the end.
    static func read(from file: FileDescriptor, upTo limit: Int, at offset: Int64?) throws(UVError) -> [UInt8] {
        var bytes = [UInt8].unset(count: try sensibleCount(limit, of: file, at: offset))
        let count = try read(into: &bytes, from: 0, of: file, at: offset)
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Fills an array from an index on.
    ///
    /// - Returns: The number of bytes, 0 at the end.
    static func read(
        into bytes: inout [UInt8], from start: Int, of file: FileDescriptor, at offset: Int64?
    ) throws(UVError) -> Int {
        if start == bytes.count { return 0 }
        while true {
            do throws(UVError) {
                return unsafe try fileCall("read", of: file.text) { raw in
                    unsafe bytes.withUnsafeMutableBytes {
                        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start...])
                        var part = unsafe uv_buf_t(room)
                        return unsafe uv_fs_read(nil, raw, file.rawValue, &part, 1, offset ?? -1, nil)
                    }
                } _: {
                    unsafe $0.pointee.result
                }
            } catch  where error.code == .interrupted {
                // libuv repeats all calls but this one.
            }
        }
    }

    /// Room for all that can come, not for what the caller was ready to take.
    private static func sensibleCount(
        _ limit: Int, of file: FileDescriptor, at offset: Int64?
    ) throws(UVError) -> Int {
        let modest = 1 << 20
        if limit <= modest { return limit }
        let status = try status(of: file)
        guard status.kind == .regular else { return modest }
        var position = offset ?? 0
        if offset == nil { position = try self.position(of: file) }
        return Int(min(Int64(min(limit, 0x7fff_f000)), max(status.size - position, Int64(modest))))
    }

    private static func position(of file: FileDescriptor) throws(UVError) -> Int64 {
        let position = Int64(lseek(file.rawValue, 0, SEEK_CUR))
        if position < 0 { throw UVError(.lastSystemError, in: "read", of: file.text) }
        return position
    }

    /// Fills several buffers in order.
    static func read(
        from file: FileDescriptor, counts: [Int], at offset: Int64?
    ) throws(UVError) -> [[UInt8]] {
        var chunks = counts.map { [UInt8].unset(count: $0) }
        var buffers: [uv_buf_t] = unsafe []
        for index in chunks.indices {
            // The arrays stay where they are: nobody changes them before the read is over.
            unsafe chunks[index].withUnsafeMutableBytes { unsafe buffers.append(uv_buf_t($0)) }
        }
        var left = 0
        while chunks.contains(where: { !$0.isEmpty }) {
            do throws(UVError) {
                unsafe left = try fileCall("read", of: file.text) {
                    unsafe uv_fs_read(nil, $0, file.rawValue, buffers, UInt32(buffers.count), offset ?? -1, nil)
                } _: {
                    unsafe $0.pointee.result
                }
                break
            } catch {
                if error.code != .interrupted { throw error }
            }
        }
        for index in chunks.indices {
            let count = min(left, chunks[index].count)
            chunks[index].removeLast(chunks[index].count - count)
            left -= count
        }
        return chunks
    }

    /// - Returns: How many bytes were written; fewer only when the system took fewer.
    static func write(
        _ chunks: [[UInt8]], to file: FileDescriptor, at offset: Int64?
    ) throws(UVError) -> Int {
        let full = chunks.filter { !$0.isEmpty }
        if full.isEmpty { return 0 }
        let buffers = unsafe full.map { unsafe uv_buf_t(stableBytesOf: $0, from: 0) }
        let result: Result<Int, UVError> = withExtendedLifetime(full) {
            Result { () throws(UVError) in
                unsafe try fileCall("write", of: file.text) {
                    unsafe uv_fs_write(nil, $0, file.rawValue, buffers, UInt32(buffers.count), offset ?? -1, nil)
                } _: {
                    unsafe $0.pointee.result
                }
            }
        }
        return try result.get()
    }

    /// Writes all of an array, in one call or more.
    static func writeAll(_ bytes: [UInt8], to file: FileDescriptor, at offset: Int64?) throws(UVError) {
        var done = 0
        try writeAll(bytes, &done, to: file, at: offset)
    }

    /// Writes the rest of an array.
    ///
    /// - Parameter done: How many bytes have been written, also after an error.
    static func writeAll(
        _ bytes: [UInt8], _ done: inout Int, to file: FileDescriptor, at offset: Int64?
    ) throws(UVError) {
        while done < bytes.count {
            let count: Int
            do throws(UVError) {
                let (start, position) = (done, offset.map { $0 + Int64(done) } ?? -1)
                unsafe count = try fileCall("write", of: file.text) { raw in
                    var buffer = unsafe uv_buf_t(stableBytesOf: bytes, from: start)
                    return withExtendedLifetime(bytes) {
                        unsafe uv_fs_write(nil, raw, file.rawValue, &buffer, 1, position, nil)
                    }
                } _: {
                    unsafe $0.pointee.result
                }
            } catch {
                throw UVError(error.code, in: "write", of: "\(file.text) after \(done) bytes")
            }
            // Nothing and no error: a device that would take nothing for ever.
            if count == 0 { throw UVError(.ioError, in: "write", of: "\(file.text) after \(done) bytes") }
            done += count
        }
    }

    /// Writes the rest of an array behind the end, wherever that is by then.
    ///
    /// - Parameter done: How many bytes have been written, also after an error.
    static func append(_ bytes: [UInt8], _ done: inout Int, to file: FileDescriptor) throws(UVError) {
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe cplatform_append(file.rawValue, $0.baseAddress! + done, $0.count - done)
            }
            guard count >= 0 else {
                if UVError.Code.lastSystemError == .interrupted { continue }
                throw UVError(.lastSystemError, in: "append", of: "\(file.text) after \(done) bytes")
            }
            if count == 0 { throw UVError(.ioError, in: "append", of: "\(file.text) after \(done) bytes") }
            done += count
        }
    }

    static func sync(_ file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("sync", of: file.text) { unsafe uv_fs_fsync(nil, $0, file.rawValue, nil) }
    }

    /// Not every file system has something to do for a directory or a file that it makes up.
    static func syncIfPossible(_ file: FileDescriptor) throws(UVError) {
        do throws(UVError) { try sync(file) } catch {
            if error.code != .invalidArgument, error.code != .notSupported { throw error }
        }
    }

    static func syncData(_ file: FileDescriptor) throws(UVError) {
        unsafe try fileCall("sync", of: file.text) { unsafe uv_fs_fdatasync(nil, $0, file.rawValue, nil) }
    }

    static func truncate(_ file: FileDescriptor, to size: Int64) throws(UVError) {
        unsafe try fileCall("truncate", of: file.text) { unsafe uv_fs_ftruncate(nil, $0, file.rawValue, size, nil) }
    }

    /// To sockets without libuv: where its own way fails (also because the socket has no room) it copies, and waits for the
    /// peer with a thread of the pool, for ever perhaps.
    static func send(
        from source: FileDescriptor, at offset: Int64, count: Int, to destination: FileDescriptor
    ) throws(UVError) -> Int {
        while true {
            let sent = cplatform_send(source.rawValue, off_t(offset), count, destination.rawValue)
            if sent >= 0 { return sent }
            if UVError.Code.lastSystemError == .interrupted { continue }
            throw UVError(.lastSystemError, in: "send", of: "\(source.text) to \(destination.text)")
        }
    }
}
