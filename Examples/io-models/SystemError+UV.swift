import Readiness
import SystemPackage
import UV

extension SystemError {
    /// The same error in the words of Readiness.
    init(_ error: UVError) { self.init(Errno(rawValue: abs(error.code.rawValue)), in: "\(error)") }
}
