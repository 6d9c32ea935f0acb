import AsyncUV
import ExampleSupport
import Foundation

/// A line on the terminal, standard error, that is drawn over and over: `[########------------] 42 % 1.2 GiB/s`.
struct ProgressBar: Sendable {
    /// In bytes; `nil` where nobody knows: a directory's size says nothing of what is in it, a pseudo-file says 0.
    private let total: Int64?

    init(for source: FileStatus) { total = source.kind == .regular && source.size > 0 ? source.size : nil }

    func show(_ progress: TreeRequest.Progress, after time: Duration) {
        draw("\(part(progress)) \(throughput(of: progress.bytes, in: time))")
    }

    /// Leaves the last state on the terminal.
    func end(_ progress: TreeRequest.Progress, after time: Duration) {
        show(progress, after: time)
        draw("\n", overLine: false)
    }

    func remove() { draw("") }

    private func part(_ progress: TreeRequest.Progress) -> String {
        // A file may grow meanwhile.
        guard let total, progress.bytes <= total else {
            return "\(count(progress.entries, "file")), \(progress.bytes.grouped) bytes"
        }
        let part = Double(progress.bytes) / Double(total)
        let full = Int(part * 20)
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: 20 - full)
        return "[\(bar)] \(Int(part * 100)) %"
    }

    private func draw(_ text: String, overLine: Bool = true) {
        FileHandle.standardError.write(Data(((overLine ? "\r\u{1B}[K" : "") + text).utf8))
    }
}

func throughput(of bytes: Int64, in time: Duration) -> String {
    let mebibytes = Double(bytes) / max(time / .seconds(1), 1e-6) / 1_048_576
    return mebibytes < 1_024 ? "\(Int(mebibytes)) MiB/s" : "\((mebibytes / 102.4).rounded() / 10) GiB/s"
}
