import Foundation
import Synchronization

/// A blocking peer beside a loop that the test's own thread runs.
public final class PlainThread<Value: Sendable>: Sendable {
    private let outcome = Mutex<Result<Value, any Error>?>(nil)
    private let done = DispatchSemaphore(value: 0)

    public init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread { [self] in
            let result = Result { try body() }
            outcome.withLock { $0 = result }
            done.signal()
        }
    }

    /// Waits for the body's end. To be called once.
    public func value() throws -> Value {
        done.wait()
        guard let result = outcome.withLock({ $0 }) else { fatalError("the thread has ended without a result") }
        return try result.get()
    }
}
