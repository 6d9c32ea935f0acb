import Foundation
import TestSupport
import Testing
import UV

/// `SWIFT_UV_STALL`, in programs that do not know of it.
@Suite(.ownThread, .disabled(if: isSanitized, "sanitizers hold signals back")) struct StallVariableTests {
    @Test(
        "A callback that hangs is reported to standard error while it does, with the function",
        arguments: ["20ms", "0.02s", "20"])
    func stall(_ limit: String) throws {
        let report = try run(limit) { $0.contains("theCallbackThatHangs") }
        #expect(report.hasPrefix("swift-uv: a callback keeps its loop waiting, for "), "\(report)")
        #expect(report.contains("(limit 20 ms)"), "\(report)")
        #expect(report.contains("theCallbackThatHangs(_:) at Stalling.swift:"), "\(report)")
    }

    @Test(
        "A value that is no limit is told, once, and nothing is watched",
        arguments: ["soon", "0", "-5ms", "100us", "1e3"])
    func nonsense(_ value: String) throws {
        let report = try run(value) { $0.hasSuffix("\n") }
        let sentence = "SWIFT_UV_STALL=\(value) is no limit: 100ms, 2s, or a number of milliseconds, at least one"
        #expect(report == "swift-uv: \(sentence)\n")
    }

    @Test("Nothing is watched without it")
    func empty() throws { #expect(try run("") { _ in true } == "") }

    /// Runs a program whose callback waits until its input ends, which it does when standard error has said enough.
    ///
    /// - Returns: All that it has said there.
    private func run(_ value: String, until isEnough: @escaping (String) -> Bool) throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = URL(filePath: tests).deletingLastPathComponent().appending(path: "process-probe").path
        let environment = ProcessOptions.Environment.extended(["SWIFT_UV_STALL": value])
        var report: [UInt8] = []
        var status: ExitStatus?
        try withLoop { loop in
            let child = try ProcessHandle(
                on: loop, program, ["stall"], options: ProcessOptions(environment: environment), input: .pipe,
                output: .pipe, error: .pipe
            ) { handle, end in
                status = end
                handle.close()
            }
            let endIfEnough = {
                if isEnough(String(decoding: report, as: UTF8.self)) { child.input?.close() }
            }
            // It says so when it hangs.
            try child.output?.startReading { _, _ in
                endIfEnough()
            } onEnd: { output, _ in
                output.close()
            }
            try child.error?.startReading { _, bytes in
                report += [UInt8](copying: bytes)
                endIfEnough()
            } onEnd: { error, _ in
                error.close()
            }
        }
        #expect(status == .exited(0))
        return String(decoding: report, as: UTF8.self)
    }
}
