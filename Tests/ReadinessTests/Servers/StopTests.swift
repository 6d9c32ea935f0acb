import Synchronization
import Testing

@testable import Readiness
import ServerModels

@Suite struct StopTests {
    @Test func callsEachActionOnce() {
        let stop = Stop()
        let calls = Counter()
        _ = stop.onRequest { calls.add() }
        stop.onRequest { calls.add() }.cancel()
        #expect(!stop.isRequested && calls.value == 0)
        stop.request()
        stop.request()
        #expect(stop.isRequested && calls.value == 1)
        _ = stop.onRequest { calls.add() }
        #expect(calls.value == 2)
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }
}
