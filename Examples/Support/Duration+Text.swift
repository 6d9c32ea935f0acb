import ArgumentParser

extension Duration {
    /// Reads like `100 ms` or `2.5 s`.
    public var text: String {
        let milliseconds = self / .milliseconds(1)
        if milliseconds >= 10_000 { return "\((milliseconds / 100).rounded() / 10) s" }
        return milliseconds.rounded() == milliseconds
            ? "\(Int(milliseconds)) ms" : "\((milliseconds * 100).rounded() / 100) ms"
    }
}

/// A duration on the command line: `250ms`, `1.5s`, `2m`. Give it as an option's `transform`.
public func duration(from argument: String) throws -> Duration {
    // Longest first: `ms` ends in `s`.
    let units: [(name: String, seconds: Double)] = [("ms", 0.001), ("us", 0.000_001), ("s", 1), ("m", 60)]
    guard let unit = units.first(where: { argument.hasSuffix($0.name) }),
        let number = Double(argument.dropLast(unit.name.count)), number >= 0, number * unit.seconds <= 1e9
    else { throw ValidationError("A duration is a number and a unit: 250ms, 1.5s, 2m.") }
    return .seconds(number * unit.seconds)
}
