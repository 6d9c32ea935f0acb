internal import CReadiness

@_exported public import struct SystemPackage.Errno

/// A system call that the kernel refused.
///
/// Its description names all that is known: `address already in use (EADDRINUSE) in bind of 127.0.0.1:80`.
public struct SystemError: Error, Hashable, Sendable {
    /// What the kernel said, such as `.addressInUse` or `.badFileDescriptor`.
    public let code: Errno

    /// The call that was refused, such as `bind` or `epoll_ctl(ADD)`.
    public let operation: String

    /// What it was about: an address, a descriptor; `nil` when there is nothing to add.
    public let subject: String?

    /// An error of an operation on a subject, such as `descriptor 7`.
    public init(_ code: Errno, in operation: String, of subject: String? = nil) {
        self.code = code
        self.operation = operation
        self.subject = subject
    }
}

extension SystemError {
    // Foundation asks for these two where it makes an `NSError`: `localizedDescription` ends with the system's sentence.
    public var _domain: String { "NSPOSIXErrorDomain" }
    public var _code: Int { Int(code.rawValue) }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        let name = unsafe readiness_error_name(code.rawValue).map { unsafe " (\(String(cString: $0)))" } ?? ""
        return "\(code.description.lowercasedFirst)\(name) in \(operation)" + (subject.map { " of \($0)" } ?? "")
    }
}

extension SystemError {
    /// Whether descriptors or kernel memory have run out: the same call may work once some are free again.
    public var isShortage: Bool {
        [.tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory].contains(code)
    }
}

/// Passes a result on, or throws when it is negative: the functions of CReadiness return `-errno`.
@discardableResult
func check<Result: SignedInteger>(
    _ result: Result, _ operation: @autoclosure () -> String, of subject: @autoclosure () -> String? = nil
) throws(SystemError) -> Result {
    guard result < 0 else { return result }
    throw SystemError(Errno(rawValue: CInt(-result)), in: operation(), of: subject())
}

extension String {
    fileprivate var lowercasedFirst: String { prefix(1).lowercased() + dropFirst() }
}
