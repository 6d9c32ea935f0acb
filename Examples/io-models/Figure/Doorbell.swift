import CReadiness

/// An eventfd that counts rings. Each wait takes one, and sleeps while there is none.
final class Doorbell: Sendable {
    private let descriptor = readiness_event(0, 1)

    init() { precondition(descriptor >= 0, "no descriptor left for an eventfd") }

    deinit { _ = readiness_close(descriptor) }

    func ring() { _ = readiness_event_signal(descriptor) }
    func wait() { _ = readiness_event_take(descriptor) }
}
