extension Loop {
    /// Calls a closure once, after a delay, in a later turn.
    ///
    /// - Returns: The timer, which keeps the loop alive until the call and closes before it. Close it to call it off.
    /// - Throws: As ``TimerHandle/start(after:every:_:)``.
    ///
    /// Calls `uv_timer_init`, `uv_timer_start`.
    @discardableResult
    public func schedule(
        after delay: Duration, file: StaticString = #fileID, line: UInt = #line, _ call: @escaping () -> Void
    ) throws(UVError) -> TimerHandle {
        let timer = try TimerHandle(on: self, file: file, line: line)
        do throws(UVError) {
            try timer.start(after: delay) { timer in
                timer.close()
                call()
            }
        } catch {
            timer.close()
            throw error
        }
        return timer
    }
}
