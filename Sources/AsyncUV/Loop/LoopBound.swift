/// Carries something that belongs to a loop's thread through code that may run anywhere; it opens there only.
///
/// The one `@unchecked Sendable` of the module.
struct LoopBound<Value: AnyObject>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    /// The value. Off the loop's thread it traps.
    @inline(__always)
    func open(on loop: EventLoop) -> Value {
        if !loop.isCurrent { stopOffLoop() }
        return value
    }

    /// Lends the value, which the box keeps: no retain and no check, for hot paths that have just found themselves on the
    /// loop's thread. Debug builds check.
    @inline(__always)
    func lend<Result>(on loop: EventLoop, _ body: (Value) throws -> Result) rethrows -> Result {
        assert(loop.isCurrent)
        return try unsafe Unmanaged.passUnretained(value)._withUnsafeGuaranteedRef(body)
    }

    @inline(never)
    private func stopOffLoop() -> Never { fatalError("\(Value.self) used off its loop's thread") }
}
