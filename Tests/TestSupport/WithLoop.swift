public import UV

/// Gives a fresh loop to a test, runs it until nothing is left to do and closes it, which fails on handles left open.
public func withLoop(_ body: (Loop) throws -> Void) throws {
    let loop = try Loop()
    try body(loop)
    try loop.run()
    try loop.close()
}
