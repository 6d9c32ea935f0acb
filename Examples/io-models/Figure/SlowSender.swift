import CReadiness
import Readiness
import Synchronization

/// The other side: sends messages with a pause before each, and notes when each was in the kernel.
final class SlowSender: Sendable {
    private let socket: Socket
    private let state = Mutex<[Int64]>([])
    private let done = Doorbell()

    init(_ socket: Socket) { self.socket = socket }

    func start(_ setting: FigureSetting, origin: Int64) throws {
        try WorkerThread.start { [self] in
            let message = [UInt8](repeating: 7, count: setting.messageSize)
            for number in 1...setting.messages {
                _ = readiness_sleep_until(origin + Int64(number) * setting.interval)
                try? socket.sendAll(message)
                let now = readiness_clock() - origin
                state.withLock { $0.append(now) }
            }
            done.ring()
        }
    }

    /// Waits for the end; returns when the messages had arrived, in nanoseconds since `origin`.
    func arrivals() -> [Int64] {
        done.wait()
        return state.withLock { $0 }
    }
}
