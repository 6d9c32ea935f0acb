import CReadiness
import Readiness

/// Something that a user touches: it delivers input at its own pace, from a thread of its own.
struct Device: Sendable {
    let name: String
    let milliseconds: Int64

    static let mouse = Device(name: "click", milliseconds: 300)
    static let keyboard = Device(name: "key", milliseconds: 450)

    /// Delivers for so many seconds, then calls `done`.
    func start(
        seconds: Int, deliver: @escaping @Sendable (Input) -> Void, done: @escaping @Sendable () -> Void
    ) throws {
        let start = readiness_clock()
        try WorkerThread.start {
            for number in 1...(Int64(seconds) * 1000 / milliseconds + 1) {
                let time = min(number * milliseconds, Int64(seconds) * 1000)
                _ = readiness_sleep_until(start + time * 1_000_000)
                if number * milliseconds == time { deliver(Input(device: name, number: Int(number))) }
            }
            done()
        }
    }
}

struct Input: Sendable {
    let device: String
    let number: Int
}
