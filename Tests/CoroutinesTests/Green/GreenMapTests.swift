import AsyncUV
import Coroutines
import TestSupport
import Testing

/// `Green.imap`.
@Suite(.inTurn) struct GreenMapTests {
    private struct Stop: Error, Equatable {}

    /// How many run at once, at most.
    @GreenActor private final class Crowd {
        private(set) var most = 0
        private(set) var begun = 0
        private var present = 0

        func enter() {
            begun += 1
            present += 1
            most = max(most, present)
        }

        func leave() { present -= 1 }
    }

    @Test("Results come in order, whichever ends first; no more run than are to run", arguments: [1, 3, 100])
    func order(count: Int) async throws {
        try await Green.spawn {
            let crowd = Crowd()
            var results: [Int] = []
            let squares = Green.imap(0..<20, atOnce: count) { number in
                crowd.enter()
                // On a busy machine the first sleep may be over before the last one begins.
                while crowd.most < min(count, 20) { try await Green.sleep(.zero) }
                try await Green.sleep(.milliseconds((20 - number) % 5))
                crowd.leave()
                return number * number
            }
            for try await square in squares { results.append(square) }
            #expect(results == (0..<20).map { $0 * $0 })
            #expect(crowd.most == min(count, 20))
        }.value
    }

    @Test("It begins no more than are asked for, and kills them when it is dropped")
    func lazy() async throws {
        try await Green.spawn {
            let crowd = Crowd()
            let killed = GreenEvent()
            func takeOne() async throws {
                let endless = Green.imap(0..., atOnce: 3) { number in
                    crowd.enter()
                    if number == 0 { return 0 }
                    do { try await Green.sleep(.seconds(1_000)) } catch {
                        killed.set()
                        throw error
                    }
                    return number
                }
                var iterator = endless.makeAsyncIterator()
                #expect(try await iterator.next() == 0)
            }
            try await takeOne()
            #expect(crowd.begun <= 3)
            if crowd.begun > 1 { try await killed.wait() }
            for try await _ in Green.imap([Int](), atOnce: 3, { $0 }) { Issue.record("there is nothing") }
        }.value
    }

    @Test("An error comes in its place, and ends the rest")
    func failure() async throws {
        try await Green.spawn { () async throws in
            let numbers = Green.imap(0..<10, atOnce: 4) { number in
                if number == 2 { throw Stop() }
                if number > 2 { try await Green.sleep(.seconds(1_000)) }
                return number
            }
            var iterator = numbers.makeAsyncIterator()
            #expect(try await iterator.next() == 0)
            #expect(try await iterator.next() == 1)
            do {
                _ = try await iterator.next()
                Issue.record("no error")
            } catch { #expect(error is Stop) }
            #expect(try await iterator.next() == nil)
        }.value
    }
}
