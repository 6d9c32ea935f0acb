/// Carries something that belongs to a loop's thread through code that may run anywhere; it opens there only.
///
/// The one `@unchecked Sendable` of the module.
struct LoopBound<Value>: @unchecked Sendable {
    private let value: Value

    init(_ value: Value) { self.value = value }

    /// The value. Off the loop's thread it traps.
    @inline(__always)
    func open(on loop: EventLoop) -> Value {
        if !loop.isCurrent { fatalError("\(Value.self) used off its loop's thread") }
        return value
    }
}
