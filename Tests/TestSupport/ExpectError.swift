public import Testing
public import UV

/// Expects that `body` throws a ``UVError`` with this code, whatever it was doing to what.
public func expectError<Value>(
    _ code: UVError.Code, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Value
) {
    check(Result { _ = try body() }, code, comment(), sourceLocation)
}

/// The same of a body that waits.
public nonisolated(nonsending) func expectError<Value>(
    _ code: UVError.Code, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: nonisolated(nonsending) () async throws -> Value
) async {
    let result: Result<Void, any Error>
    do {
        _ = try await body()
        result = .success(())
    } catch { result = .failure(error) }
    check(result, code, comment(), sourceLocation)
}

private func check(
    _ result: Result<Void, any Error>, _ code: UVError.Code, _ comment: Comment?, _ location: SourceLocation
) {
    let text: String
    switch result {
    case .success: text = "nothing was thrown"
    case .failure(let error as UVError) where error.code == code: return
    case .failure(let error): text = "thrown was: \(error)"
    }
    Issue.record("expected \(code), \(text)\(comment.map { ": \($0)" } ?? "")", sourceLocation: location)
}

extension Result where Failure == UVError {
    /// The code of the error, `nil` for a success.
    public var errorCode: UVError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }
}
