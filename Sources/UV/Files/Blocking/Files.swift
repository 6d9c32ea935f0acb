internal import CLibuv
internal import CPlatform
internal import SystemPackage
internal import UVPlatform

/// What threads of the pool do with bytes of open files.
enum Files {
    /// Does an operation on the calling thread, which may block.
    static func run<Value>(_ operation: FileOperation<Value>) throws(UVError) -> Value { try operation.run() }

    static func status(of file: FileDescriptor, _ name: @autoclosure () -> String) throws(UVError) -> FileStatus {
        unsafe try fileCall("status", of: name()) {
            unsafe uv_fs_fstat(nil, $0, file.rawValue, nil)
        } _: {
            unsafe FileStatus($0.pointee.statbuf)
        }
    }

    /// - Parameter offset: `nil` reads at the file's position and moves it.
    /// - Returns: What was read; empty at the end.
    static func read(from file: OpenFile, upTo limit: Int, at offset: Int64?) throws(UVError) -> [UInt8] {
        var bytes = [UInt8].unset(count: try sensibleCount(limit, of: file, at: offset))
        let count = try read(into: &bytes, from: 0, of: file, at: offset)
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Fills an array from an index on.
    ///
    /// - Returns: The number of bytes, 0 at the end.
    static func read(
        into bytes: inout [UInt8], from start: Int, of file: OpenFile, at offset: Int64?
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
        _ limit: Int, of file: OpenFile, at offset: Int64?
    ) throws(UVError) -> Int {
        let modest = 1 << 20
        if limit <= modest { return limit }
        let status = try run(.status(of: file.descriptor))
        guard status.kind == .regular else { return modest }
        var position = offset ?? 0
        if offset == nil { position = try self.position(of: file) }
        return Int(min(Int64(min(limit, 0x7fff_f000)), max(status.size - position, Int64(modest))))
    }

    private static func position(of file: OpenFile) throws(UVError) -> Int64 {
        let position = Int64(lseek(file.rawValue, 0, SEEK_CUR))
        if position < 0 { throw UVError(.lastSystemError, in: "read", of: file.text) }
        return position
    }

    /// Fills several buffers in order.
    static func read(
        from file: OpenFile, counts: [Int], at offset: Int64?
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
        _ chunks: [[UInt8]], to file: OpenFile, at offset: Int64?
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
    static func writeAll(_ bytes: [UInt8], to file: OpenFile, at offset: Int64?) throws(UVError) {
        var done = 0
        try writeAll(bytes, &done, to: file, at: offset)
    }

    /// Writes the rest of an array.
    ///
    /// - Parameter done: How many bytes have been written, also after an error.
    static func writeAll(
        _ bytes: [UInt8], _ done: inout Int, to file: OpenFile, at offset: Int64?
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
    static func append(_ bytes: [UInt8], _ done: inout Int, to file: OpenFile) throws(UVError) {
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

    /// Where symbolic links lead to in the end: they stay, and what they point to is replaced, or made.
    ///
    /// - Returns: `nil` for what the system makes up, in /proc and /sys, and what links there lead to, such as /dev/stdout: it
    ///   cannot be replaced, or must not be.
    static func linkTarget(of path: FilePath) throws(UVError) -> FilePath? {
        var path = path
        // As many as Linux follows; when they are in a circle, the status has said so before.
        for _ in 0..<40 {
            let directory = path.removingLastComponent()
            let isMadeUp = unsafe (directory.isEmpty ? "." : directory).withPlatformString {
                unsafe cplatform_is_made_up($0) != 0
            }
            if isMadeUp { return nil }
            guard (try? Files.run(.status(of: path, followingLinks: false)))?.kind == .symbolicLink else { return path }
            path = directory.pushing(try Files.run(.readLink(path)))
        }
        throw UVError(.tooManySymbolicLinkLevels, in: "readLink", of: path.string)
    }
}
