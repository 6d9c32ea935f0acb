public import UV

/// Locks on whole files, which bind those who ask for one only, in this process and in others. A lock belongs to the open file: a
/// file that is opened twice excludes itself. It ends when the file is closed.
extension File {
    /// Takes a lock, or changes the one that the file has, and waits for those who are in the way: up to 10 ms longer than they
    /// have theirs. A change gives the old lock up while it waits.
    ///
    /// Cancellation: no lock is taken.
    public func lock(_ lock: FileLock = .exclusive) async throws {
        try await perform(.lock(descriptor, lock)) { file in file.unlock { _ in } }
    }

    /// Takes a lock, or changes the one that the file has, if nobody is in the way.
    ///
    /// - Returns: Whether it did.
    ///
    /// Cancellation: a lock may have been taken.
    public func tryLock(_ lock: FileLock = .exclusive) async throws -> Bool {
        try await perform(.tryLock(descriptor, lock))
    }

    /// Gives the lock up; without one it does nothing. In a cancelled task too.
    public func unlock() async throws {
        guard loop.hostsCurrentTask else { return try await loop.hop { try await self.unlock() } }
        let unlocking = Wait<Void>("unlock")
        core.open(on: loop).unlock { unlocking.finish($0.mapError { $0 }) }
        try await unlocking.value(on: loop)
    }

    /// Does something with a lock on the file, which is given up afterwards, whatever happens.
    ///
    /// - Throws: What taking the lock, the body or giving it up throws, the first of them.
    public func withLock<Value>(
        _ lock: FileLock = .exclusive, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await self.lock(lock)
        let value: Value
        do { value = try await body() } catch {
            try? await unlock()
            throw error
        }
        try await unlock()
        return value
    }
}
