import Testing
public import UV

/// Gives a fresh loop to a test, runs it until nothing is left to do and closes it.
///
/// Fails on handles left open, on sockets left open, and on a loop that does not run dry.
public func withLoop(_ body: (Loop) throws -> Void) throws {
    try withoutDescriptorLeak {
        let loop = try Loop()
        do {
            try body(loop)
            let watchdog = try watch(loop)
            try loop.run()
            watchdog.close()
            try loop.run()
            try loop.close()
        } catch {
            try loop.closeAllHandles()
            try loop.run()
            try loop.close()
            throw error
        }
    }
}

private func watch(_ loop: Loop) throws -> TimerHandle {
    let watchdog = try TimerHandle(on: loop)
    watchdog.keepsLoopAlive = false
    try watchdog.start(after: .seconds(60 * patience)) { watchdog in
        Issue.record("the loop does not run dry: \(watchdog.loop.handles)")
        try? watchdog.loop.closeAllHandles()
    }
    return watchdog
}

/// For code of an async test that must not suspend: it may make a loop.
@discardableResult
public func synchronously<Value>(_ body: () throws -> Value) rethrows -> Value { try body() }
