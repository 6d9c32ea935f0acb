import ExampleSupport
import UV

struct BackpressureStep: Step {
    let title = "Backpressure"
    let sentence = "A fast writer meets a slow reader. A write that does not fit says so: wait, and memory stays small."

    private let total = 48 << 20

    func run(on stage: Stage) throws {
        let scene = try Scene()
        let (near, far) = try TCPHandle.pair(on: scene.loop)
        let writer = PoliteWriter(near, in: scene, total: total)
        let reader = try SlowReader(far, in: scene) { received in
            stage.progress(Double(received) / Double(total), "\(received >> 20) of \(total >> 20) MiB")
        }
        try reader.start()
        try writer.start()
        try scene.run()
        guard reader.received == total else {
            throw Surprise("\(reader.received.grouped) of \(total.grouped) bytes arrived")
        }
        stage.line(
            "the writer had to wait \(count(writer.waits, "time")), the reader rested \(count(reader.rests, "time"))")
        stage.success(
            "\(total >> 20) MiB went through; never more than \(writer.mostWaiting >> 10) KiB of it waited in memory")
    }
}
