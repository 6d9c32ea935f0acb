import Foundation

/// What a reader must know of the machine to judge the figures.
struct Machine: CustomStringConvertible {
    let loadAverage: String

    init() {
        let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        loadAverage = text?.split(separator: " ").first.map(String.init) ?? "unknown"
    }

    var description: String {
        "\(ProcessInfo.processInfo.processorCount) cores, load average \(loadAverage) at the start."
    }
}
