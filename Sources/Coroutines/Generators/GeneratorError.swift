/// What can be wrong with the use of a ``Generator``.
public enum GeneratorError: Error, Hashable, Sendable {
    /// The generator's body asked its own generator for a value, directly or in something that it called.
    case alreadyRunning
    /// The first step has no `yield` to take a value: begin with `next()`.
    case notStarted
    /// The body waits at a `yield` that takes a value: use `send`.
    case valueExpected
    /// The body has given a value meanwhile, after an earlier ``waitsForSomethingElse``: take it with `next()` first.
    case valueNotTaken
    /// The body waits for something other than its consumer: ask with `await`.
    case waitsForSomethingElse
    /// The generator is closed; thrown at the body's `yield`, and again at each further one.
    case closed
    /// The body has yielded a hundred times after it was told to end. It is left suspended for good.
    case endIgnored
}

extension GeneratorError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .alreadyRunning: "the generator is already running"
        case .notStarted: "a value was sent to a generator that has not reached its first yield"
        case .valueExpected: "next() on a generator that waits for a value: use send(_:)"
        case .valueNotTaken: "a value was sent to a generator whose last value has not been taken: use next()"
        case .waitsForSomethingElse: "the generator waits for something else than its consumer: iterate with await"
        case .closed: "the generator was closed"
        case .endIgnored: "the generator's body ignores its end"
        }
    }
}
