internal import CLibuv
public import SystemPackage

extension FilePath {
    /// Takes a string from somebody else: `FilePath`'s own initializer would silently cut it at a NUL.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` when there is a NUL in it, `.noSuchFileOrDirectory` when it is empty.
    public init(validating string: String) throws(UVError) {
        if string.isEmpty { throw UVError(.noSuchFileOrDirectory, in: "path", of: "an empty string") }
        if string.utf8.contains(0) { throw UVError(.invalidArgument, in: "path", of: string.debugDescription) }
        self.init(string)
    }

    /// Where the system wants temporary files: what `TMPDIR` and relatives say, else `/tmp`. Calls `uv_os_tmpdir`.
    public static var systemTemporaryDirectory: FilePath {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4_097) { buffer in
            var size = buffer.count
            guard let base = buffer.baseAddress, unsafe uv_os_tmpdir(base, &size) == 0 else { return "/tmp" }
            return unsafe FilePath(platformString: base)
        }
    }

    /// Adds ASCII text to the last component; other bytes, UTF-8 or not, stay as they are.
    func appendingText(_ text: StaticString) -> FilePath {
        var bytes = unsafe withPlatformString { unsafe Array(UnsafeBufferPointer(start: $0, count: length)) }
        text.withUTF8Buffer { unsafe bytes += $0.map { CChar(bitPattern: $0) } }
        bytes.append(0)
        return FilePath(platformString: bytes)
    }
}
