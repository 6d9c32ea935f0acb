import Foundation
import UV

/// Lines from standard input, read by a thread of its own that wakes the loop.
///
/// Why not a poll handle? It refuses files, which are always ready (`echo-client … < file`), and it makes what it watches
/// non-blocking, which a terminal shares with the shell and with our own output.
final class StandardInput {
    private let lines = LineBuffer()
    private let onBytes: ([UInt8]) -> Void
    private let onEnd: () -> Void
    private var wakeup: WakeupHandle?
    private var isPaused = false

    /// - Parameter onBytes: Called on the loop with one line or several.
    /// - Parameter onEnd: Called once, when there will be no more.
    init(on loop: Loop, onBytes: @escaping ([UInt8]) -> Void, onEnd: @escaping () -> Void) throws {
        self.onBytes = onBytes
        self.onEnd = onEnd
        let wakeup = try WakeupHandle(on: loop) { [unowned self] _ in deliver() }
        self.wakeup = wakeup
        // The thread may be inside a read when the program ends: nobody waits for it.
        Thread.detachNewThread { [lines, waker = wakeup.waker] in lines.fill(waking: waker) }
    }

    /// Calls nothing until ``resume()``; the thread reads a little ahead.
    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        deliver()
    }

    func close() {
        isPaused = true
        wakeup?.close()
    }

    private func deliver() {
        while !isPaused {
            let (bytes, isEnd) = lines.take()
            if bytes.isEmpty {
                if isEnd {
                    close()
                    onEnd()
                }
                return
            }
            onBytes(bytes)
        }
    }
}
