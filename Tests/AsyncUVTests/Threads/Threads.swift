import Foundation
import Synchronization
import TestSupport

/// Tells threads apart.
func currentThreadNumber() -> UInt { UInt(pthread_self()) }

/// Runs blocking code on a thread of its own and waits without blocking.
func onThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result { try body() }) }
        thread.stackSize = 8 << 20
        thread.start()
    }
}
