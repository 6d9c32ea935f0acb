import BlockingContrast
import ExampleSupport
import Foundation

struct FileStep: Step {
    let title = "Files: who waits for the disk?"
    let sentence = "A timer should tick every 5 ms while 64 MiB are read that are not in memory, in four ways."

    func run(on stage: Stage) throws {
        let work = try DiskWork(.coldRead, size: 64 << 20, in: FileManager.default.temporaryDirectory.path())
        defer { work.remove() }
        stage.line("epoll's answer to the file: \(try Way.epollsAnswer(to: work))")
        for way in Way.allCases {
            let log = try way.measure(work)
            stage.line(
                "\(way.rawValue.padded(to: 28)) \(log.inTime) of \(count(log.delays.count, "tick")) in time, "
                    + "the latest \(log.percentile(1_000).text)")
        }
        stage.success("the pool reads while the loop goes on")
    }
}
