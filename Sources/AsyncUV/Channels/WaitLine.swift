internal import DequeModule

/// Tasks that wait for their turn, in the order in which they came, each with what it brings. On the loop's thread only.
struct WaitLine<Value, Load> {
    private var entries: Deque<(wait: Wait<Value>, load: Load)> = []

    var isEmpty: Bool { entries.isEmpty }

    mutating func append(_ wait: Wait<Value>, _ load: Load) { entries.append((wait, load)) }

    mutating func popFirst() -> (wait: Wait<Value>, load: Load)? { entries.popFirst() }

    /// Takes out a task that waits no longer.
    mutating func remove(_ wait: Wait<Value>) {
        // A loop that ends gives up the youngest first.
        if entries.last?.wait === wait {
            entries.removeLast()
        } else if let index = entries.firstIndex(where: { $0.wait === wait }) {
            entries.remove(at: index)
        }
    }
}
