internal import UV

extension EventLoop {
    /// Waits until the loop has nothing to do but to wait: between two turns no job has run besides the caller's. For tests.
    ///
    /// - Parameter waits: How many operations are to wait on the loop then; `nil` for any number.
    package func waitUntilIdle(waits: Int? = nil) async throws {
        guard hostsCurrentTask else { return try await hop { try await self.waitUntilIdle(waits: waits) } }
        let core = core.open(on: self)
        if core.twin != nil, waits == nil {
            return try await perform("waitUntilIdle") { core, wait in core.twin?.noteIdle(wait) }
        }
        var before: Int?
        while true {
            let jobs = core.jobsSoFar
            if let before, jobs == before + 1, waits == nil || waits == core.waits.count { return }
            before = jobs
            try await sleep(for: .milliseconds(1))
        }
    }
}
