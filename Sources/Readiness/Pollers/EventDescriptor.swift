internal import CReadiness

/// An eventfd: a counter in the kernel that descriptors can wait for.
final class EventDescriptor: Sendable {
    let descriptor: CInt

    /// A counter that `take` sets to zero, without blocking.
    init() throws(SystemError) { descriptor = try check(readiness_event(0, 0), "eventfd") }

    deinit { _ = readiness_close(descriptor) }

    // A full counter cannot happen (2⁶⁴ signals) and an open eventfd has no other way to fail.
    func signal() { _ = readiness_event_signal(descriptor) }
    func take() { _ = readiness_event_take(descriptor) }
}
