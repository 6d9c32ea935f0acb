import UV

/// The loop of a step. Closures cannot throw: the first error in one of them ends the step, which then throws it.
final class Scene {
    let loop: Loop
    private var failure: (any Error)?

    init() throws { loop = try Loop() }

    /// Runs until nothing is left to do, or until ``end()``.
    func run() throws {
        try loop.run()
        try loop.closeAllHandles()
        try loop.run()
        try loop.close()
        if let failure { throw failure }
    }

    func attempt(_ work: () throws -> Void) {
        do { try work() } catch { fail(error) }
    }

    func fail(_ error: any Error) {
        failure = failure ?? error
        end()
    }

    func end() { try? loop.stop() }
}

/// A sentence of the tour turned out not to be true.
struct Surprise: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
