import Dispatch
import Foundation
import Synchronization

/// Something that must not stay behind, however the program ends: a temporary file, a child process.
///
/// It is cleared when ``clear()`` is called, and otherwise when the program leaves through `exit`, as a full disk or a
/// closed pipe makes it do, or is told to end by Ctrl-C, SIGTERM or SIGHUP. Only SIGKILL leaves it.
public final class Leftover: Sendable {
    private static let all = Mutex<[ObjectIdentifier: Leftover]>([:])
    private let body: Mutex<(@Sendable () -> Void)?>

    /// - Parameter body: Clears it. It is called once, on any thread.
    public init(clear body: @escaping @Sendable () -> Void) {
        _ = Self.watch
        self.body = Mutex(body)
        Self.all.withLock { $0[ObjectIdentifier(self)] = self }
    }

    /// Clears it now. The second time does nothing, but waits until the first has finished: another thread may clear it while
    /// this one is about to end the program.
    public func clear() {
        body.withLock { body in
            body?()
            body = nil
        }
        _ = Self.all.withLock { $0.removeValue(forKey: ObjectIdentifier(self)) }
    }

    /// Does something that clearing must not miss, such as starting a child. Where it has been cleared already the program is
    /// ending: then this does nothing and does not return.
    public func protect(_ step: () throws -> Void) rethrows {
        let isDone = try body.withLock { body in
            if body != nil { try step() }
            return body != nil
        }
        while !isDone { sleep(60) }
    }

    private static func clearAll() { for leftover in all.withLock({ Array($0.values) }) { leftover.clear() } }

    /// Hears of the program's end, from the first leftover on.
    private static let watch: Void = {
        atexit { Leftover.clearAll() }
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)  // else it kills before the source hears of it
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            // The handler keeps its source: nobody else does.
            source.setEventHandler {
                _ = source
                // Before exit: a second thread that calls exit meanwhile would end the program in the middle of this.
                clearAll()
                exit(128 + number)
            }
            source.resume()
        }
    }()
}
