import AsyncUV
import Coroutines
import TestSupport
import Testing

/// Bodies that wait in the pool and give their values there, while the consumer on its own thread takes, waits, or leaves.
@Suite(.ownThread) struct GeneratorThreadTests {
    private static let rounds = 2_000

    /// Leaves the consumer's thread: whoever ends the other task resumes this one, in the pool.
    @Sendable private static func leave() async { await Task.detached {}.value }

    private static func numbers(to last: Int) -> Generator<Void, Int> {
        Generator { yield in
            for number in 0..<last {
                await leave()
                try await yield(number)
            }
        }
    }

    /// Asks until the body, which is elsewhere, has come to something.
    private static func take(_ ask: () throws -> Int?) throws -> Int? {
        while true {
            do { return try ask() } catch GeneratorError.waitsForSomethingElse {}
        }
    }

    // The phase was read twice: a value that was given in between was lost, and its body waited for ever.
    @Test func aValueThatIsGivenWhileOneAsksIsTaken() throws {
        let generator = Self.numbers(to: Self.rounds)
        for number in 0..<Self.rounds { #expect(try Self.take { try generator.next() } == number) }
        #expect(try Self.take { try generator.next() } == nil)
    }

    @Test func aValueThatIsGivenWhileOneSendsIsNotOverwritten() throws {
        let generator = Generator<Int, Int> { yield in
            var answer = 0
            while true {
                await Self.leave()
                answer = try await yield(answer)
            }
        }
        var last = try Self.take { try generator.next() }
        for number in 0..<Self.rounds {
            #expect(last == number)
            var value: Int?
            do { value = try generator.send(number + 1) } catch GeneratorError.waitsForSomethingElse {
                // It has arrived, and nothing else can before its answer has been taken.
                #expect(throws: GeneratorError.self) { try generator.send(-1) }
            }
            last = try value ?? Self.take { try generator.next() }
        }
    }

    // A waiter was woken by the value before the one it waited for, and the iteration ended with an error.
    @Test func anIterationIsWokenByItsOwnValuesOnly() async throws {
        var expected = 0
        for try await number in Self.numbers(to: Self.rounds) {
            #expect(number == expected)
            expected += 1
        }
        #expect(expected == Self.rounds)
    }

    @Test func askingAndWaitingMix() async throws {
        let generator = Self.numbers(to: Self.rounds)
        let iterator = generator.makeAsyncIterator()
        var expected = 0
        while expected < Self.rounds {
            var number: Int?
            do { number = try generator.next() } catch GeneratorError.waitsForSomethingElse {
                number = try await iterator.next()
            }
            #expect(number == expected)
            expected += 1
        }
        #expect(try await iterator.next() == nil)
    }

    // A body that gave its value while the consumer left waited for ever, and its `defer`s did not run.
    @Test(arguments: [false, true]) func leavingWhileTheBodyGivesEndsIt(closes: Bool) async throws {
        for round in 0..<Self.rounds {
            let ended = AsyncStream<Void>.makeStream()
            var generator: Generator<Void, Int>? = Generator { yield in
                defer { ended.continuation.finish() }
                while true {
                    await Self.leave()
                    try await yield(1)
                }
            }
            // More or less far into the body.
            for _ in 0...round % 101 { _ = try? generator?.next() }
            if closes {
                // The body may be elsewhere at that moment: it ends nevertheless.
                do { try generator?.close() } catch GeneratorError.waitsForSomethingElse {}
            } else {
                generator = nil
            }
            for await _ in ended.stream {}
        }
    }

    @Test func errorsReachABodyThatGivesElsewhere() throws {
        struct Stop: Error {}
        for _ in 0..<Self.rounds {
            let generator = Generator<Void, Int> { yield in
                await Self.leave()
                do { try await yield(1) } catch is Stop { await Self.leave() }
                try await yield(2)
            }
            #expect(try Self.take { try generator.next() } == 1)
            var next: Int?
            do { next = try generator.throw(Stop()) } catch GeneratorError.waitsForSomethingElse {
                next = try Self.take { try generator.next() }
            }
            #expect(next == 2)
        }
    }
}
