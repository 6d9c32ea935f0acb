internal import UV

/// How connections of all kinds begin and end.
extension HandleConnection {
    /// Makes a connection of a handle that is connected.
    ///
    /// - Parameter prepare: Makes the handle; closes it when that fails.
    static func make(
        on loop: EventLoop, _ prepare: @Sendable (Loop) throws(UVError) -> Handle
    ) async throws -> Self {
        try Task.checkCancellation()
        return try await loop.making("open") { callbackLoop in
            return try Self(try prepare(callbackLoop), on: loop)
        }
    }
}

extension StreamConnection {
    /// Runs a body with the connection, and closes it afterwards, whatever happens.
    package func closing<Value>(
        after body: nonisolated(nonsending) (Self) async throws -> Value
    ) async throws -> Value {
        let value: Value
        do { value = try await body(self) } catch {
            await close()
            throw error
        }
        await close()
        return value
    }
}

extension StreamHandle {
    /// Gives a new handle its descriptor; closes it when that fails.
    static func opening<Handle: StreamHandle>(
        _ handle: Handle, _ open: (Handle) throws(UVError) -> Void
    ) throws(UVError) -> Handle {
        do throws(UVError) { try open(handle) } catch {
            handle.close()
            throw error
        }
        return handle
    }
}
