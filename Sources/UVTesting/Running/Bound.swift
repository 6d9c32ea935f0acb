internal import AsyncUV

/// Carries what belongs to a loop's thread through code that may run anywhere.
struct Bound<Value: AnyObject>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    /// The value. Off the loop's thread it traps.
    func open(on loop: EventLoop) -> Value {
        if !loop.isCurrent { fatalError("a network of a test was used off its loop's thread") }
        return value
    }

    /// Gives the value up, on the loop: nobody refers to it any more. A loop that has ended has nothing to give up.
    func drop(on loop: EventLoop, _ close: @escaping @Sendable (Value) -> Void) {
        if loop.isCurrent { return close(value) }
        Task(executorPreference: loop) { if loop.isCurrent { close(value) } }
    }
}
