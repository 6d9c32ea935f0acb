import Foundation
import Synchronization
import UV

/// Lines on their way from the thread that reads them to the loop that sends them; a limited number of bytes.
final class LineBuffer: Sendable {
    private static let limit = 65_536

    private let lines = Mutex<(bytes: [UInt8], isEnd: Bool)>(([], false))
    private let room = DispatchSemaphore(value: 0)

    /// Reads to the end of the input and wakes the loop for each line; waits for it while the buffer is full.
    func fill(waking loop: Waker) {
        while true {
            let (line, isEnd) = readLine()
            let isFull = lines.withLock { lines in
                lines.bytes += line
                lines.isEnd = isEnd
                return lines.bytes.count >= Self.limit
            }
            loop.wake()
            if isEnd { return }
            if isFull { room.wait() }
        }
    }

    /// A line, or as much of a long one as fits.
    private func readLine() -> (line: [UInt8], isEnd: Bool) {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n"), line.count < Self.limit {
            // One thread reads, so no lock is needed; the one that getchar holds while it waits could stop an exit.
            guard let byte = UInt8(exactly: getchar_unlocked()) else { return (line, true) }
            line.append(byte)
        }
        return (line, false)
    }

    /// What has been read since the last time, and whether that was all.
    func take() -> (bytes: [UInt8], isEnd: Bool) {
        let (taken, isEnd) = lines.withLock { lines in
            defer { lines.bytes = [] }
            return lines
        }
        if taken.count >= Self.limit { room.signal() }
        return (taken, isEnd)
    }
}
