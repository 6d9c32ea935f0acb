import CReadiness
import Readiness
import Synchronization

/// Hands the whole read over and hears when it is finished: free in both phases.
///
/// Here a plain thread does the read, as libuv's pool does for files: the caller rings for it through one eventfd and
/// hears of the end through another. It looks at a flag in memory between two units of work, so looking is no
/// system call.
struct AsynchronousModel: IOModel {
    let name = "asynchronous"
    let summary = ["a worker waits and copies; the", "caller hears when it is done"]

    func receiveAll(_ reader: inout Reader) throws -> Track? {
        let desk = Desk()
        let (socket, setting, origin) = (reader.socket, reader.setting, reader.track.origin)
        try WorkerThread.start { desk.serve(socket, setting, Track(origin: origin)) }
        for _ in 0..<setting.messages {
            reader.track.call(.free) { desk.orders.ring() }
            while !desk.isDone.exchange(false, ordering: .acquiring) { reader.doWork() }
            reader.track.call(.free) { desk.results.wait() }
        }
        desk.closing.wait()
        return desk.track.withLock { $0 }
    }

    private final class Desk: Sendable {
        let orders = Doorbell(), results = Doorbell(), closing = Doorbell()
        let isDone = Atomic(false)
        let track = Mutex<Track?>(nil)

        func serve(_ socket: Socket, _ setting: FigureSetting, _ start: Track) {
            var track = start
            var buffer = [UInt8](repeating: 1, count: setting.messageSize)
            for _ in 0..<setting.messages {
                track.call(.free) { orders.wait() }
                _ = try? track.receive(from: socket, into: &buffer, mayBlock: true)
                track.call(.free) { results.ring() }
                isDone.store(true, ordering: .releasing)
            }
            self.track.withLock { $0 = track }
            closing.ring()
        }
    }
}
