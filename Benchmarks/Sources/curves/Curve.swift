import Harness
import Measurement

/// One model's cost of an event by the number of idle connections: the medians over the rounds.
struct Curve {
    struct Point {
        let watched: Int
        let microseconds: Double
    }

    let model: ServerModel
    let points: [Point]

    init(model: ServerModel, rounds: [[WatchResult]]) {
        self.model = model
        points = rounds[0].indices.map { index in
            Point(
                watched: rounds[0][index].watched,
                microseconds: median(rounds.map { $0[index].cpuMicrosecondsPerEvent }))
        }
    }

    /// How the cost grows along the curve, in words.
    var growth: String {
        let (first, last) = (points.first!, points.last!)
        let factor = last.microseconds / first.microseconds
        let range = "\(decimal(factor, 2)) times the cost at \(last.watched) watched as at \(first.watched)"
        if factor < 1.5 { return "stays flat, \(range)" }
        let line = Line(points.map { (Double($0.watched), $0.microseconds) })
        let slope = "\(decimal(line.slope * 1000, 0)) ns more for each watched connection"
        return line.fit > 0.95 ? "grows linearly, \(slope), \(range)" : "grows, but not along a line, \(range)"
    }
}

/// The straight line with the least squares of errors.
private struct Line {
    let slope: Double
    /// The share of the variation that the line explains (R²).
    let fit: Double

    init(_ points: [(x: Double, y: Double)]) {
        let count = Double(points.count)
        let middle = (
            x: points.reduce(0) { $0 + $1.x } / count, y: points.reduce(0) { $0 + $1.y } / count
        )
        func sum(_ product: ((x: Double, y: Double)) -> Double) -> Double {
            points.reduce(0) { $0 + product(($1.x - middle.x, $1.y - middle.y)) }
        }
        let (xx, xy, yy) = (sum { $0.x * $0.x }, sum { $0.x * $0.y }, sum { $0.y * $0.y })
        slope = xy / xx
        fit = xy * xy / (xx * yy)
    }
}
