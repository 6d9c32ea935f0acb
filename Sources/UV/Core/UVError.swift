internal import CLibuv
package import SystemPackage
internal import UVPlatform

/// Why an operation failed: a code, the operation and the thing it was done to.
///
/// Reads like `address already in use (EADDRINUSE) in bind of 127.0.0.1:80`. Two errors are equal when code, operation and
/// subject are. To catch one by its code, write `catch UVError.Code.addressInUse`.
public struct UVError: Error, Sendable {
    /// A libuv error code. An open set: codes without a name are kept as they are.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number as libuv has it: negative, `-errno` for the system's own errors.
        public let rawValue: CInt

        /// Takes any number, with or without a name.
        public init(rawValue: CInt) { self.rawValue = rawValue }
    }

    /// What went wrong.
    public let code: Code

    /// Operation and subject, in an object of their own: an error must stay small, because each resume of a task moves it.
    private let details: Details?

    private final class Details: Sendable {
        let operation: String
        let link: StaticString
        let subject: String?
        init(_ operation: String, _ link: StaticString, _ subject: String?) {
            self.operation = operation
            self.link = link
            self.subject = subject
        }
    }

    /// Makes an error; libraries on top of this one raise theirs in the same form.
    ///
    /// - Parameter operation: What was attempted, in the user's words: `bind`, `read`.
    /// - Parameter subject: The path or address that it was attempted on.
    public init(_ code: Code, in operation: String, of subject: String? = nil) {
        self.code = code
        details = Details(operation, "of", subject)
    }

    /// An error of something that was to come from somewhere: `connection reset by peer (ECONNRESET) in read from …`.
    public init(_ code: Code, in operation: String, from subject: String?) {
        self.code = code
        details = Details(operation, "from", subject)
    }

    /// An error of something that was to go somewhere: `broken pipe (EPIPE) in write to …`.
    public init(_ code: Code, in operation: String, to subject: String?) {
        self.code = code
        details = Details(operation, "to", subject)
    }

    /// The same error with the file whose number, length or line is wrong, before what is wrong; as it is without one.
    @inline(never)
    package func naming(_ path: FilePath?) -> Self {
        guard let path else { return self }
        return Self(code, in: operation, of: subject.map { "\(path), \($0)" } ?? path.string)
    }

    /// What was attempted, for example `bind`.
    public var operation: String { details?.operation ?? "" }

    /// The path, address or object it was attempted on, if there is one.
    public var subject: String? { details?.subject }
}

extension UVError: Hashable {
    public static func == (left: UVError, right: UVError) -> Bool {
        left.code == right.code && left.operation == right.operation && left.subject == right.subject
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension UVError.Code {
    /// Lets a `catch` name a code: `catch UVError.Code.connectionReset { … }`.
    public static func ~= (code: Self, error: any Error) -> Bool { (error as? UVError)?.code == code }
}

extension UVError {
    // Foundation asks for these two where it makes an `NSError`, and knows the system's own errors: `localizedDescription`
    // ends with "Connection reset by peer" then, instead of "(UV.UVError error 1.)". Product UVFoundation says it all.
    public var _domain: String { code.isSystemError ? "NSPOSIXErrorDomain" : "libuv" }
    public var _code: Int { code.isSystemError ? -Int(code.rawValue) : Int(code.rawValue) }
}

extension UVError: CustomStringConvertible {
    public var description: String {
        let what = "\(code.message) (\(code.name))"
        guard let details else { return what }
        guard let subject = details.subject else { return "\(what) in \(details.operation)" }
        return "\(what) in \(details.operation) \(details.link) \(subject)"
    }
}

extension UVError.Code: CustomStringConvertible {
    /// The constant's name, for example `EADDRINUSE`. Calls `uv_err_name_r`.
    public var name: String { unsafe text { unsafe uv_err_name_r(rawValue, $0, $1) } }

    /// The meaning in a few English words. Calls `uv_strerror_r`.
    ///
    /// `ETIMEDOUT` is just "timed out": libuv's "connection timed out" would be wrong for anything but a connection.
    public var message: String {
        self == .timedOut ? "timed out" : unsafe text { unsafe uv_strerror_r(rawValue, $0, $1) }
    }

    public var description: String { name }

    private func text(_ fill: (UnsafeMutablePointer<CChar>, Int) -> UnsafeMutablePointer<CChar>?) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress, unsafe fill(base, buffer.count) != nil else { return "" }
            return unsafe String(cString: base)
        }
    }

    /// Whether it is an `errno`. libuv's own codes, such as those of `getaddrinfo` and the end of a file, begin at -3000.
    fileprivate var isSystemError: Bool { (-2999 ... -1).contains(rawValue) }

    /// The calling thread's `errno`, in libuv's form.
    static var lastSystemError: Self { Self(rawValue: -errno) }
}

/// Turns a negative status into an error that names the operation.
@discardableResult @inline(__always)
func check(
    _ status: CInt, _ operation: StaticString, of subject: @autoclosure () -> String? = nil
) throws(UVError) -> CInt {
    guard status < 0 else { return status }
    throw UVError(.init(rawValue: status), in: operation.description, of: subject())
}

/// Turns the `-1` of a system call into an error with `errno`'s code.
@discardableResult
func checkSystem(
    _ result: CInt, _ operation: StaticString, of subject: @autoclosure () -> String? = nil
) throws(UVError) -> CInt {
    guard result == -1 else { return result }
    throw UVError(.lastSystemError, in: operation.description, of: subject())
}
