@_exported public import AsyncTestSupport
import AsyncUV
import TestSupport
import Testing
import UV

/// Expects an error with these words: description and advice.
func expect(_ error: (any Error)?, _ text: String, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(error.map { String(reflecting: $0) } == text, sourceLocation: sourceLocation)
}

func says(_ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) throws {
    expect(caught(body), text, sourceLocation: sourceLocation)
}

func says(
    _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws {
    expect(await caught(body), text, sourceLocation: sourceLocation)
}

/// What a body throws.
func caught(_ body: () throws -> Void) -> (any Error)? {
    do { try body() } catch { return error }
    return nil
}

func caught(_ body: () async throws -> Void) async -> (any Error)? {
    do { try await body() } catch { return error }
    return nil
}
