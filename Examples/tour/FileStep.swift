import BlockingContrast
import ExampleSupport
import Foundation

struct FileStep: Step {
    let title = "Files: who waits for the disk?"
    let sentence = "A timer should tick every 5 ms while a file is read that is not in memory, in four ways."

    func run(on stage: Stage) throws {
        let disk = try SlowDisk(in: FileManager.default.temporaryDirectory.path())
        let work = disk.work
        defer { work.remove() }
        stage.line("\(work.kind.rawValue), \(work.stepSize >> 20) MiB each step, which alone takes \(disk.step.text)")
        stage.line("epoll's answer to the file: \(try Way.epollsAnswer(to: work))")
        var logs: [Way: TickLog] = [:]
        for way in Way.allCases {
            let log = try way.measure(work)
            logs[way] = log
            stage.line(
                "\(way.rawValue.padded(to: 30)) \(log.inTime) of \(count(log.delays.count, "tick")) in time, "
                    + "the latest \(log.percentile(1_000).text)")
        }
        if !disk.isSlow {
            stage.line("This disk is too fast to show it: no step takes four ticks.")
            stage.line("blocking-vs-async --directory tries another.")
        } else if let blocking = logs[.blocking], let pool = logs[.pool], pool.lateShare * 2 < blocking.lateShare {
            stage.success("\(blocking.late) of the ticks are late beside blocking calls, \(pool.late) beside the pool")
        } else {
            stage.line("No clear contrast now: other programs make all four ways late.")
        }
    }
}

extension TickLog {
    fileprivate var late: String { "\(Int((lateShare * 100).rounded())) %" }
    fileprivate var lateShare: Double { delays.isEmpty ? 0 : 1 - Double(inTime) / Double(delays.count) }
}
