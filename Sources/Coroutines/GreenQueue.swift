internal import AsyncUV
internal import DequeModule

/// A queue between green tasks: takers wait while it is empty, givers while it is full. First come, first served.
@GreenActor
public final class GreenQueue<Element: Sendable> {
    private let capacity: Int
    private var elements: Deque<Element> = []
    private let givers = GreenWaiters()
    private let takers = GreenWaiters()

    /// - Parameter capacity: The most elements that wait, at least 1.
    public nonisolated init(capacity: Int = .max) { self.capacity = max(1, capacity) }

    /// How many elements wait.
    public var count: Int { elements.count }

    /// Adds an element, when there is room.
    ///
    /// - Throws: `CancellationError` when the task is killed; the element was not added.
    public func put(_ element: Element) async throws {
        while elements.count >= capacity { _ = try await givers.wait(at: givers.join()) }
        elements.append(element)
        takers.wakeOne()
    }

    /// Takes the oldest element, when there is one.
    ///
    /// - Throws: `CancellationError` when the task is killed; nothing was taken.
    public func get() async throws -> Element {
        while true {
            if let element = elements.popFirst() {
                givers.wakeOne()
                return element
            }
            do { _ = try await takers.wait(at: takers.join()) } catch {
                // Somebody else may have been woken for what this one will not take.
                if !elements.isEmpty { takers.wakeOne() }
                throw error
            }
        }
    }
}
