import AsyncUV
import Coroutines
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct GeneratorTests {
    private struct Stop: Error, Equatable { var number = 0 }

    @Test func isASequence() {
        let squares = Generator<Void, Int> { yield in
            for number in 1... { try await yield(number * number) }
        }
        var seen: [Int] = []
        for square in squares {
            seen.append(square)
            if seen.count == 4 { break }
        }
        #expect(seen == [1, 4, 9, 16])
        #expect(squares.failure == nil)
    }

    @Test func handsOverStrictly() throws {
        let transcript = Transcript()
        let generator = Generator<String, Int> { yield in
            transcript.add("body begins")
            let first = try await yield(1)
            transcript.add("body got \(first)")
            let second = try await yield(2)
            transcript.add("body got \(second)")
        }
        transcript.add("before")
        #expect(try generator.next() == 1)
        transcript.add("after 1")
        #expect(try generator.send("a") == 2)
        transcript.add("after 2")
        #expect(try generator.send("b") == nil)
        #expect(try generator.send("c") == nil)
        #expect(transcript.all == ["before", "body begins", "after 1", "body got a", "after 2", "body got b"])
    }

    @Test func errorsGoBothWays() throws {
        let generator = Generator<Void, Int> { yield in
            do { try await yield(1) } catch is Stop { try await yield(10) }
            throw Stop(number: 2)
        }
        #expect(try generator.next() == 1)
        #expect(try generator.throw(Stop()) == 10)
        #expect(throws: Stop(number: 2)) { try generator.next() }
        #expect(try generator.next() == nil)
        #expect(throws: Stop(number: 3)) { try generator.throw(Stop(number: 3)) }
    }

    @Test func wrongUseIsAnError() throws {
        let generator = Generator<Int, Int> { yield in while true { try await yield(0) } }
        #expect(throws: GeneratorError.notStarted) { try generator.send(1) }
        #expect(try generator.next() == 0)
        #expect(throws: GeneratorError.valueExpected) { try generator.next() }
        #expect(try generator.send(1) == 0)
    }

    @Test func closingRunsDefers() throws {
        let transcript = Transcript()
        let generator = Generator<Void, Int> { yield in
            defer { transcript.add("deferred") }
            while true {
                do { try await yield(1) } catch {
                    transcript.add("\(error)")
                    throw error
                }
            }
        }
        #expect(try generator.next() == 1)
        try generator.close()
        try generator.close()
        #expect(transcript.all == ["the generator was closed", "deferred"])
        #expect(try generator.next() == nil)
    }

    @Test func droppingRunsDefersInEveryState() throws {
        let transcript = Transcript()
        func make() -> Generator<Void, Int> {
            Generator { yield in
                defer { transcript.add("deferred") }
                try await yield(1)
            }
        }
        _ = make()
        #expect(transcript.all == [])
        var generator: Generator<Void, Int>? = make()
        #expect(try generator?.next() == 1)
        generator = nil
        #expect(transcript.all == ["deferred"])
        generator = make()
        #expect(try generator?.next() == 1)
        #expect(try generator?.next() == nil)
        generator = nil
        #expect(transcript.all == ["deferred", "deferred"])
    }

    @Test func aBodyThatIgnoresItsEndCannotGoOn() throws {
        let transcript = Transcript()
        let generator = Generator<Void, Int> { yield in
            for _ in 0..<3 {
                do { try await yield(1) } catch { transcript.add("\(error)") }
            }
        }
        #expect(try generator.next() == 1)
        try generator.close()
        #expect(transcript.all == Array(repeating: "the generator was closed", count: 3))
    }

    @Test(.ownThread) func waitsForOtherThingsAsAnAsyncSequence() throws {
        let seen = try EventLoop.run { loop in
            let generator = Generator<Void, Int> { yield in
                for number in 1...3 {
                    try await loop.sleep(for: .milliseconds(1))
                    try await yield(number)
                }
            }
            var seen: [Int] = []
            for try await number in generator { seen.append(number) }
            return seen
        }
        #expect(seen == [1, 2, 3])
    }

    @Test(.ownThread) func aSynchronousConsumerCannotWait() throws {
        try EventLoop.run { loop in
            let generator = Generator<Void, Int> { yield in
                try await loop.sleep(for: .seconds(1_000))
                try await yield(1)
            }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.next() }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.next() }
        }
    }

    @Test func generatorsNest() throws {
        let outer = Generator<Void, Int> { yield in
            let inner = Generator<Void, Int> { yield in
                for number in 1...3 { try await yield(number) }
            }
            while let number = try inner.next() { try await yield(number * 10) }
        }
        #expect(Array(outer) == [10, 20, 30])
    }

    @Test func aMillionStepsDoNotGrowTheStack() throws {
        let generator = Generator<Int, Int> { yield in
            var sum = 0
            while true { sum += try await yield(sum) }
        }
        _ = try generator.next()
        var last: Int? = 0
        for _ in 0..<1_000_000 { last = try generator.send(1) }
        #expect(last == 1_000_000)
    }
}
