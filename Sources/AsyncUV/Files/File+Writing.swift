internal import UV

extension File {
    /// Writes all of the bytes.
    ///
    /// - Parameter offset: From the file's start, in bytes. If it is behind the end, zeros fill the gap.
    /// - Throws: ``UVError`` with `.noSpace`, `.ioError`, …; the text says how many bytes were written. `.invalidArgument` for
    ///   a negative offset.
    ///
    /// Cancellation and timeout: a write that has begun goes on in the background.
    public func write(_ bytes: [UInt8], at offset: Int64, timeout: Duration? = nil) async throws {
        try await perform(.writeAll(bytes, to: descriptor, at: offset), within: timeout)
    }

    /// Writes all of the bytes at the file's end. Otherwise as ``write(_:at:timeout:)``.
    public func append(_ bytes: [UInt8], timeout: Duration? = nil) async throws {
        try await perform(.writeAll(bytes, to: descriptor, at: nil), within: timeout)
    }

    /// Cuts the file, or lengthens it with zeros, to a size in bytes.
    ///
    /// - Throws: ``UVError`` with `.fileTooLarge`, `.invalidArgument` for a negative size or a file that cannot be cut.
    ///
    /// Cancellation and timeout: it may have happened.
    public func truncate(to size: Int64, timeout: Duration? = nil) async throws {
        try await perform(.truncate(descriptor, to: size), within: timeout)
    }

    /// Waits until the file is on the disk.
    ///
    /// - Parameter dataOnly: Leaves out what nobody needs to read the file again, such as the time of its last change.
    /// - Throws: ``UVError`` with `.ioError` when the disk has not taken everything, `.invalidArgument` for what is no file on a disk.
    ///
    /// Cancellation and timeout: goes on in the background.
    public func sync(dataOnly: Bool = false, timeout: Duration? = nil) async throws {
        try await perform(dataOnly ? .syncData(descriptor) : .sync(descriptor), within: timeout)
    }
}
