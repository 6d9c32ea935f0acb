import Foundation

/// What a reader must know of the machine to judge the figures.
package struct Machine: CustomStringConvertible {
    package let loadAverage: String

    package init() {
        let text = try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)
        loadAverage = text?.split(separator: " ").first.map(String.init) ?? "unknown"
    }

    package var description: String {
        "\(ProcessInfo.processInfo.processorCount) cores, load average \(loadAverage) at the start."
    }
}
