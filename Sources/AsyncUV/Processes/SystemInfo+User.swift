public import UV

/// What is asked of the user database, which may be on the network: on a thread of ``EventLoop/offload(timeout:_:)``, so that neither the
/// loop nor files wait for it.
extension SystemInfo {
    /// The user as whom this process runs.
    ///
    /// - Throws: ``UVError`` with `.noSuchFileOrDirectory` when the database does not know the user, `.timedOut`, `.canceled` when the
    ///   loop ends.
    ///
    /// Cancellation and timeout: a look-up that has begun goes on in the background.
    public static func lookUpUser(
        timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> User {
        try await loop.perform(in: .offload, "user", within: timeout) { try user }
    }

    /// The user's directory: what the environment variable `HOME` says, else the user database. Otherwise as
    /// ``lookUpUser(timeout:on:)``.
    public static func lookUpHomeDirectory(
        timeout: Duration? = nil, on loop: EventLoop = .current ?? .shared
    ) async throws -> FilePath {
        try await loop.perform(in: .offload, "homeDirectory", within: timeout) { try homeDirectory }
    }
}
