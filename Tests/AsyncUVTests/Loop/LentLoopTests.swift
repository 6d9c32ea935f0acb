import AsyncUV
import TestSupport
import Testing
import UV

/// The loop that `withLoop` lends is run by somebody else.
@Suite(.ownThread) struct LentLoopTests {
    @Test("It cannot be stopped or closed by those who have borrowed it")
    func itsEndIsRefused() async throws {
        try await withOwnLoop { loop in
            try await loop.withLoop { lent in
                let timer = try TimerHandle(on: lent)
                expectError(.notPermitted) { try lent.stop() }
                expectError(.notPermitted) { try lent.closeAllHandles() }
                let error = #expect(throws: UVError.self) { try lent.close() }
                #expect(error?.code == .notPermitted && error?.subject?.contains("EventLoop") == true)
                #expect(!timer.isClosing)
                timer.close()
            }
            try await loop.sleep(for: .milliseconds(1))
        }
    }

    @Test("Its own handles are not listed")
    func itsHandlesAreNotListed() async throws {
        try await withOwnLoop { loop in
            try await loop.sleep(for: .milliseconds(1))
            _ = try await loop.counters
            let timer = try await loop.withLoop { lent in
                #expect(lent.handles.isEmpty)
                let timer = try TimerHandle(on: lent)
                #expect(lent.handles.count == 1 && lent.handles.first === timer)
                return UInt(bitPattern: ObjectIdentifier(timer))
            }
            #expect(timer != 0)
        }
    }
}
