public import UV

/// Locks on whole files. They are advisory: only programs that ask for a lock are kept out. A lock belongs to the open ``File``, so
/// a file that is opened twice excludes itself. Tasks that share one ``File`` are not kept apart: they have the lock together, and the
/// first that gives it up does so for all. Closing the file gives its lock up.
extension File {
    /// Takes a lock, or changes the kind of the one that the file has, and waits until no other lock is in the way; up to 10 ms
    /// longer, because the system does not tell when a lock is given up. A change gives the old lock up while it waits.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the file is closed meanwhile.
    ///
    /// Cancellation and timeout: no lock is taken.
    public func lock(_ lock: FileLock = .exclusive, timeout: Duration? = nil) async throws {
        let operation = FileOperation.lock(descriptor, lock).named(path)
        try await use("lock", within: timeout) { file in
            file.unlock { _ in }
        } _: { [core, loop] callbackLoop, onDone in
            let file = core.open(on: loop)
            let request = try FileRequest.start(operation, on: callbackLoop) { request, result in
                file.waits[ObjectIdentifier(request)] = nil
                onDone(request, result)
            }
            file.waits[ObjectIdentifier(request)] = request
            return request
        }
    }

    /// Takes a lock, or changes the kind of the one that the file has, if no other lock is in the way. If one is, Linux has given
    /// the old lock up nevertheless: a file that could not change its lock has none.
    ///
    /// - Returns: Whether the file has the lock now.
    /// - Throws: ``UVError`` with `.badFileDescriptor` for a file that is closed, or that is not open for writing where the volume needs that.
    ///
    /// Cancellation: a lock may have been taken.
    public func tryLock(_ lock: FileLock = .exclusive) async throws -> Bool {
        try await perform(.tryLock(descriptor, lock), within: nil)
    }

    /// Gives the lock up, in a cancelled task too. Without a lock it does nothing.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.canceled` when the loop has ended.
    public func unlock() async throws {
        guard loop.hostsCurrentTask else { return try await loop.hop { try await self.unlock() } }
        let unlocking = Wait<Void>("unlock")
        core.open(on: loop).unlock { unlocking.finish($0.mapError { $0 }) }
        try await unlocking.value(on: loop)
    }

    /// Runs a body while the file has a lock, and gives the lock up afterwards, also after an error.
    ///
    /// - Parameter timeout: For taking the lock.
    /// - Throws: What taking the lock, the body or giving it up throws, the first of them.
    public func withLock<Value>(
        _ lock: FileLock = .exclusive, timeout: Duration? = nil,
        _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        try await self.lock(lock, timeout: timeout)
        let value: Value
        do { value = try await body() } catch {
            try? await unlock()
            throw error
        }
        try await unlock()
        return value
    }
}
