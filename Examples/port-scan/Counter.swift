import Synchronization

/// Deals numbers out, each once.
final class Counter: Sendable {
    private let next = Atomic(0)

    func take(upTo end: Int) -> Int? {
        let number = next.add(1, ordering: .relaxed).oldValue
        return number < end ? number : nil
    }
}
