import Foundation
import Harness
import Measurement

/// The curves as an SVG, both axes logarithmic: what grows linearly is a slope, what is flat is flat.
struct CurvesFigure {
    private let curves: [Curve]
    private let setting: String
    private let size = (width: 1100.0, height: 640.0)
    private let plot = (left: 90.0, top: 110.0, width: 800.0, height: 420.0)
    private let watched: ClosedRange<Double>
    private let cost: ClosedRange<Double>

    init(_ curves: [Curve], setting: String) {
        self.curves = curves
        self.setting = setting
        let points = curves.flatMap(\.points)
        let (fewest, most) = (points.map(\.watched).min()!, points.map(\.watched).max()!)
        watched = Double(fewest)...Double(max(most, fewest + 1))
        // Halves of decades, with room below for the names of the flat curves.
        let costs = points.map { log10($0.microseconds) }
        let (least, greatest) = (((costs.min()! - 0.3) * 2).rounded(.down), ((costs.max()! + 0.05) * 2).rounded(.up))
        cost = pow(10, least / 2)...pow(10, greatest / 2)
    }

    var text: String {
        let head = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(size.width)) \(number(size.height))\" "
                + "width=\"\(number(size.width))\" height=\"\(number(size.height))\" "
                + "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            label(40, 48, "What does one event cost while others are idle?", size: 26, weight: "bold"),
            label(
                40, 76, "CPU time of an echo server for one message on one connection, by idle connections it watches",
                size: 15, colour: "#555555"),
        ]
        // The first one on top: where select has a curve, poll has the same.
        return (head + grid + curves.reversed().flatMap(line) + names + foot + ["</svg>"]).joined(separator: "\n")
            + "\n"
    }

    // MARK: Parts

    private var grid: [String] {
        let bottom = plot.top + plot.height
        let decades = Self.decades(watched).filter { $0 < watched.upperBound / 1.2 }
        let columns = (decades + [watched.upperBound]).flatMap { value in
            [
                rule(x(value), plot.top, x(value), bottom),
                label(x(value), bottom + 20, grouped(value), size: 13, colour: "#555555", anchor: "middle"),
            ]
        }
        let rows = Self.decades(cost).flatMap { value in
            [
                rule(plot.left, y(value), plot.left + plot.width, y(value)),
                label(
                    plot.left - 10, y(value) + 5, "\(grouped(value)) µs", size: 13, colour: "#555555", anchor: "end"),
            ]
        }
        return columns + rows + [
            label(
                plot.left + plot.width / 2, bottom + 46, "watched idle connections", size: 14,
                colour: "#555555", anchor: "middle")
        ]
    }

    private func line(_ curve: Curve) -> [String] {
        let places = curve.points.map { (x(Double($0.watched)), y($0.microseconds)) }
        let path = places.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
        let colour = Self.colour(curve.model)
        return ["<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"3\"/>"]
            + places.map {
                "<circle cx=\"\(number($0.0))\" cy=\"\(number($0.1))\" r=\"4\" fill=\"\(colour)\"/>"
            }
    }

    /// The names beside the ends of the curves: kept apart at the right edge, above the line where a curve ends early.
    private var names: [String] {
        var lowest = -Double.infinity
        return curves.sorted { $0.points.last!.microseconds > $1.points.last!.microseconds }.map { curve in
            let end = curve.points.last!
            let isLong = Double(end.watched) == watched.upperBound
            var place = (x: x(Double(end.watched)) + 12, y: y(end.microseconds) + 5)
            if isLong {
                place.y = max(place.y, lowest + 22)
                lowest = place.y
            } else {
                place = (place.x - 20, place.y - 20)
            }
            let most = curve.model.limit.map { ", to \(grouped(Double($0)))" } ?? ""
            return label(
                place.x, place.y, "\(curve.model.rawValue)\(most): \(rounded(end.microseconds)) µs", size: 15,
                weight: "bold", colour: Self.colour(curve.model), anchor: isLong ? "start" : "end")
        }
    }

    private var foot: [String] {
        [
            label(
                40, size.height - 36,
                "Measured on loopback TCP, 64 bytes a message, both axes logarithmic. Select's sets end at descriptor 1,023.",
                size: 13, colour: "#555555"),
            label(40, size.height - 16, setting, size: 13, colour: "#555555"),
        ]
    }

    // MARK: Scales

    private func x(_ watched: Double) -> Double { plot.left + Self.share(watched, self.watched) * plot.width }
    private func y(_ cost: Double) -> Double { plot.top + (1 - Self.share(cost, self.cost)) * plot.height }

    private static func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        log(value / range.lowerBound) / log(range.upperBound / range.lowerBound)
    }

    /// 1, 3, 10, 30, …: those in the range.
    private static func decades(_ range: ClosedRange<Double>) -> [Double] {
        let all: [Double] = (-3...9).flatMap { exponent -> [Double] in
            let power = pow(10, Double(exponent))
            return [power, 3 * power]
        }
        return all.filter { $0 >= range.lowerBound * 0.999 && $0 <= range.upperBound * 1.001 }
    }

    private static func colour(_ model: ServerModel) -> String {
        switch model {
        case .select: "#d1495b"
        case .poll: "#c47f00"
        case .epollLevel, .epollEdge, .selector: "#1d5b8f"
        case .uvCallbacks: "#2f855a"
        case .uvAsync: "#7a4fa3"
        case .blocking, .process, .thread, .nonblocking: "#555555"
        }
    }

    // MARK: Elements

    private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
        "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" stroke=\"#e3e3e8\"/>"
    }

    private func label(
        _ x: Double, _ y: Double, _ text: String, size: Double, weight: String = "normal",
        colour: String = "#111111", anchor: String = "start"
    ) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\" font-weight=\"\(weight)\" "
            + "fill=\"\(colour)\" text-anchor=\"\(anchor)\">\(text)</text>"
    }

    private func number(_ value: Double) -> String { decimal(value, 1) }

    private func rounded(_ microseconds: Double) -> String {
        microseconds < 100 ? decimal(microseconds, 1) : grouped(microseconds.rounded())
    }

    private func grouped(_ value: Double) -> String {
        value < 1 ? decimal(value, 1) : value.formatted(.number.locale(Locale(identifier: "en_GB")))
    }
}
