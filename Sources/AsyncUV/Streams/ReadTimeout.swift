internal import UV

extension Error {
    /// The timeout of a read as that of the operation that needed its bytes; any other error as it is.
    @inline(never)
    func asTimeout(of operation: StaticString) -> any Error {
        guard let error = self as? UVError, error.code == .timedOut else { return self }
        return UVError(.timedOut, in: "\(operation)", from: error.subject)
    }
}
