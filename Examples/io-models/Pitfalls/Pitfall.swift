/// A classic mistake, as an experiment with a wrong and a right run.
protocol Pitfall: Sendable {
    var name: String { get }

    /// What goes wrong and why, in a sentence or two.
    var lesson: String { get }

    /// Makes the mistake.
    func wrong() throws -> Finding

    /// Does it right.
    func right() throws -> Finding
}

/// What was seen in a run.
struct Finding: Sendable {
    /// One line with what was counted.
    let text: String

    /// Whether the trouble showed.
    let isTrouble: Bool
}

/// All of them.
let pitfalls: [any Pitfall] = [
    LostEdge(), WritableSpin(), SelectLimit(), ThunderingHerd(), RegularFile(), ClosedDescriptor(),
]
