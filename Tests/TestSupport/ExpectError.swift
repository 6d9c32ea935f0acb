public import Testing
public import UV

/// Expects that `body` throws a ``UVError`` with this code, whatever it was doing to what.
public func expectError<Value>(
    _ code: UVError.Code, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) {
    do {
        _ = try body()
        check(nil, code, comment(), sourceLocation)
    } catch { check(error, code, comment(), sourceLocation) }
}

/// The same of a body that waits.
public nonisolated(nonsending) func expectError<Value>(
    _ code: UVError.Code, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: nonisolated(nonsending) () async throws -> Value
) async {
    do {
        _ = try await body()
        check(nil, code, comment(), sourceLocation)
    } catch { check(error, code, comment(), sourceLocation) }
}

private func check(_ error: (any Error)?, _ code: UVError.Code, _ comment: Comment?, _ location: SourceLocation) {
    if let error = error as? UVError, error.code == code { return }
    let text = error.map { "thrown was: \($0)" } ?? "nothing was thrown"
    Issue.record("expected \(code), \(text)\(comment.map { ": \($0)" } ?? "")", sourceLocation: location)
}

extension Result where Failure == UVError {
    /// The code of the error, `nil` for a success.
    public var errorCode: UVError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
