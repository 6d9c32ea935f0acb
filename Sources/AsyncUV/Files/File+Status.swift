public import UV

extension File {
    /// The size of the file in bytes; 0 for a pseudo-file, whatever it has.
    ///
    /// - Throws: As ``status(timeout:)``.
    ///
    /// Cancellation: as ``status(timeout:)``.
    public func size(timeout: Duration? = nil) async throws -> Int64 { try await status(timeout: timeout).size }

    /// What the system knows of the file. Asked at once if its volume is known to be a local one.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed.
    ///
    /// Cancellation: the task goes on at once. Timeout: counts only if the answer needs a thread.
    public func status(timeout: Duration? = nil) async throws -> FileStatus {
        guard loop.isCurrent else { return try await loop.hop { try await self.status(timeout: timeout) } }
        try checkCancellation()
        if let status = core.open(on: loop).statusNow() {
            if loop.charge(Cost.systemCall) { await loop.giveWay() }
            return status
        }
        return try await look(within: timeout).status
    }

    /// Asks for the status, and whether the file's volume is a local one.
    func look(within timeout: Duration?) async throws -> OpenedFile {
        let found = try await perform(.look(at: descriptor), within: timeout)
        if loop.isCurrent { core.open(on: loop).learn(found) }
        return found
    }

    /// Sets who may do what with the file.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` for a file of somebody else, `.badFileDescriptor` when closed.
    ///
    /// Cancellation and timeout: it may have happened.
    public func setPermissions(_ permissions: FilePermissions, timeout: Duration? = nil) async throws {
        try await perform(.setPermissions(permissions, of: descriptor), within: timeout)
    }

    /// Sets who owns the file.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` unless the process is privileged, `.badFileDescriptor` when closed.
    ///
    /// Cancellation and timeout: it may have happened.
    public func setOwner(_ owner: FileOwner, timeout: Duration? = nil) async throws {
        try await perform(.setOwner(owner, of: descriptor), within: timeout)
    }

    /// Sets the file's times, as exactly as its volume keeps them.
    ///
    /// - Throws: ``UVError`` with `.notPermitted` for a file of somebody else, `.badFileDescriptor` when closed.
    ///
    /// Cancellation and timeout: it may have happened.
    public func setTimes(accessed: FileTime, modified: FileTime, timeout: Duration? = nil) async throws {
        try await perform(.setTimes(accessed: accessed, modified: modified, of: descriptor), within: timeout)
    }
}
