/// What all rounds saw of one thing, as `--json` prints it: a program that draws takes its own medians.
package struct Measured: Codable, Sendable {
    package var name: String
    package var unit: String
    /// A number a round, or one alone where another program has taken the median.
    package var rounds: [Double]

    package init(_ name: String, _ unit: String, _ rounds: [Double]) {
        (self.name, self.unit, self.rounds) = (name, unit, rounds)
    }
}
