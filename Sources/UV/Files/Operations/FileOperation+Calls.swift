internal import CLibuv
internal import SystemPackage

/// Operations that are one call of libuv.
extension FileOperation {
    static func call(
        _ name: StaticString, _ path: FilePath,
        _ perform: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>) -> CInt,
        _ value: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>) -> Value
    ) -> Self {
        Self(name, path) { () throws(UVError) in
            unsafe try fileCall(
                name, of: path.string, { raw in unsafe path.withPlatformString { unsafe perform(raw, $0) } }, value)
        }
    }

    static func call(
        _ name: StaticString, on file: FileDescriptor, _ numbers: KeyValuePairs<StaticString, Int64> = [:],
        _ perform: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>, CInt) -> CInt,
        _ value: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>) -> Value
    ) -> Self {
        Self(name, on: file, numbers) { file throws(UVError) in
            unsafe try fileCall(name, of: file.text, { unsafe perform($0, file.rawValue) }, value)
        }
    }
}

extension FileOperation where Value == Void {
    static func call(
        _ name: StaticString, _ path: FilePath,
        _ perform: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>) -> CInt
    ) -> Self { unsafe call(name, path, perform) { _ in () } }

    static func call(
        _ name: StaticString, _ path: FilePath, _ other: FilePath,
        _ perform:
            @escaping @Sendable (
                UnsafeMutablePointer<uv_fs_t>, UnsafePointer<CChar>, UnsafePointer<CChar>
            ) -> CInt
    ) -> Self {
        Self(name, path, other) { () throws(UVError) in
            unsafe try fileCall(name, of: "\(path) to \(other)") { raw in
                unsafe path.withPlatformString { path in
                    unsafe other.withPlatformString { unsafe perform(raw, path, $0) }
                }
            }
        }
    }

    static func call(
        _ name: StaticString, on file: FileDescriptor, _ numbers: KeyValuePairs<StaticString, Int64> = [:],
        _ perform: @escaping @Sendable (UnsafeMutablePointer<uv_fs_t>, CInt) -> CInt
    ) -> Self { unsafe call(name, on: file, numbers, perform) { _ in () } }
}
