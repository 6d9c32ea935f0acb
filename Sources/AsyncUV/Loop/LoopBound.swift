/// Carries a value that belongs to a loop's thread through code that may run anywhere. Only on that thread can it be opened.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    /// The value. Off the loop's thread it traps.
    @inline(__always)
    func open(on loop: EventLoop) -> Value {
        if !loop.isCurrent { stopOffLoop() }
        return value
    }

    /// Lends the value, without a retain and, in release builds, without a check. For hot paths that have just made sure that they
    /// are on the loop's thread.
    @inline(__always)
    func lend<Result>(on loop: EventLoop, _ body: (Value) throws -> Result) rethrows -> Result {
        assert(loop.isCurrent)
        return try unsafe Unmanaged.passUnretained(value)._withUnsafeGuaranteedRef(body)
    }

    @inline(never)
    private func stopOffLoop() -> Never { fatalError("\(Value.self) used off its loop's thread") }
}
