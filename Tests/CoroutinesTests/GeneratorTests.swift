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

    @Test func itsChildTasksRunInsideTheCall() throws {
        let generator = Generator<Void, Int> { yield in
            async let one = number(1)
            async let two = number(2)
            try await yield(one + two)
            let sum = await withTaskGroup(of: Int.self) { group in
                for index in 1...10 { group.addTask { await number(index) } }
                return await group.reduce(0, +)
            }
            try await yield(sum)
        }
        @Sendable @concurrent func number(_ number: Int) async -> Int { number }
        #expect(try generator.next() == 3)
        #expect(try generator.next() == 55)
        #expect(try generator.next() == nil)
    }

    @Test func askingItselfIsAnErrorAndHarmsNothing() throws {
        final class Box: @unchecked Sendable { var generator: Generator<Int, String>? }
        let box = Box()
        let generator = Generator<Int, String> { yield in
            for _ in 0..<2 {
                let sent = try await yield("yielded")
                do { _ = try box.generator?.send(100) } catch { try await yield("\(error), after \(sent)") }
            }
        }
        box.generator = generator
        defer { box.generator = nil }
        #expect(try generator.next() == "yielded")
        #expect(try generator.send(1) == "the generator is already running, after 1")
        #expect(try generator.send(2) == "yielded")
        #expect(try generator.send(3) == "the generator is already running, after 3")
        #expect(try generator.send(4) == nil)
    }

    @Test(.ownThread) func aValueThatComesLateIsNotLost() throws {
        try EventLoop.run { loop in
            let generator = Generator<Int, Int> { yield in
                let first = try await yield(0)
                try await loop.sleep(for: .milliseconds(1))
                let second = try await yield(first * 10)
                try await yield(second * 10)
            }
            #expect(try generator.next() == 0)
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.send(1) }
            var late: Int?
            while late == nil {
                try await loop.sleep(for: .milliseconds(1))
                do { late = try generator.next() } catch GeneratorError.waitsForSomethingElse {}
            }
            #expect(late == 10)
            #expect(try generator.send(2) == 20)
            #expect(try generator.send(3) == nil)
        }
    }

    @Test(.ownThread) func nothingIsSentOverAValueThatWasNotTaken() throws {
        try EventLoop.run { loop in
            let generator = Generator<Int, Int> { yield in
                try await loop.sleep(for: .milliseconds(1))
                let answer = try await yield(1)
                try await yield(answer)
            }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.next() }
            var problem: GeneratorError?
            while problem != .valueNotTaken {
                try await loop.sleep(for: .milliseconds(1))
                do { _ = try generator.send(5) } catch let error as GeneratorError { problem = error }
            }
            #expect(try generator.next() == 1)
            #expect(try generator.send(5) == 5)
        }
    }

    @Test(.ownThread) func droppingOneThatWaitsForSomethingElseCancelsItsBody() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let ended = AsyncStream<Void>.makeStream()
            var generator: Generator<Void, Int>? = Generator { yield in
                defer { ended.continuation.finish() }
                do { try await loop.sleep(for: .seconds(1_000)) } catch { transcript.add("\(error)") }
                do { try await yield(1) } catch { transcript.add("\(error)") }
            }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator?.next() }
            generator = nil
            for await _ in ended.stream {}
        }
        #expect(transcript.all == ["CancellationError()", "the generator was closed"])
    }

    @Test(.ownThread) func cancellingTheConsumerCancelsTheBody() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let consumer = loop.spawn {
                let generator = Generator<Void, Int> { yield in
                    try await yield(1)
                    try await loop.sleep(for: .seconds(1_000))
                }
                for try await number in generator {
                    transcript.add(number)
                    unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await consumer.value }
        }
        #expect(transcript.all == ["1"])
    }

    @Test func droppingLeavesNothingBehind() throws {
        final class Witness: Sendable {}
        weak var fresh: Witness?, waiting: Witness?, ended: Witness?, closed: Witness?
        func make(_ witness: Witness) -> Generator<Void, Int> {
            Generator { yield in
                try await yield(1)
                withExtendedLifetime(witness) {}
            }
        }
        do {
            let witnesses = (0..<4).map { _ in Witness() }
            (fresh, waiting, ended, closed) = (witnesses[0], witnesses[1], witnesses[2], witnesses[3])
            let generators = witnesses.map { make($0) }
            for generator in generators.dropFirst() { #expect(try generator.next() == 1) }
            #expect(try generators[2].next() == nil)
            try generators[3].close()
        }
        #expect(fresh == nil && waiting == nil && ended == nil && closed == nil)
    }

    @Test func theArticlesProducerAndConsumers() throws {
        let transcript = Transcript()
        func consumer(_ name: String) -> Generator<Int, Void> {
            Generator { yield in
                transcript.add("--->starting eating baozi...")
                while true { transcript.add("[\(name)] is eating baozi \(try await yield(()))") }
            }
        }
        let first = consumer("c1"), second = consumer("c2")
        _ = try first.next()
        _ = try second.next()
        for number in 1...5 {
            _ = try first.send(number)
            _ = try second.send(number)
            transcript.add("[producer] is making baozi \(number)")
        }
        let start = "--->starting eating baozi..."
        let rounds = (1...5).flatMap { number in
            [
                "[c1] is eating baozi \(number)", "[c2] is eating baozi \(number)",
                "[producer] is making baozi \(number)",
            ]
        }
        #expect(transcript.all == [start, start] + rounds)
    }
}
