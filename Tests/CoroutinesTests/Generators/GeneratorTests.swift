import AsyncUV
import Coroutines
import Foundation
import TestSupport
import Testing

@Suite(.inTurn) struct GeneratorTests {
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

    @Test(.ownThread) func cancellingAConsumerThatWaitsCancelsTheBody() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let consumer = loop.spawn {
                let generator = Generator<Void, Int> { yield in
                    try await yield(1)
                    transcript.add("waits")
                    do { try await loop.sleep(for: .seconds(1_000)) } catch {
                        transcript.add("\(error)")
                        throw error
                    }
                }
                for try await number in generator { transcript.add(number) }
            }
            while transcript.all.count < 2 { try await loop.sleep(for: .zero) }
            for _ in 0..<5 { try await loop.sleep(for: .milliseconds(1)) }
            consumer.cancel()
            await #expect(throws: CancellationError.self) { try await consumer.value }
        }
        #expect(transcript.all == ["1", "waits", "CancellationError()"])
    }

    @Test func anActorThatIteratesStaysWhereItIs() async throws {
        let count = try await Task { @GreenActor in
            let loop = GreenActor.shared.loop
            let generator = Generator<Void, Bool> { yield in
                for _ in 0..<100 { try await yield(loop.isCurrent) }
            }
            var count = 0
            for try await isThere in generator {
                #expect(isThere && loop.isCurrent)
                count += 1
            }
            return count
        }.value
        #expect(count == 100)
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

    // MARK: Edges

    @Test func whatIsDoneToOneThatHasNotBegunEndsIt() throws {
        let transcript = Transcript()
        func make() -> Generator<Void, Int> { Generator { _ in transcript.add("begun") } }
        let thrown = make(), closed = make()
        #expect(throws: Stop()) { try thrown.throw(Stop()) }
        try closed.close()
        for generator in [thrown, closed] { #expect(try generator.next() == nil) }
        #expect(transcript.all == [])
    }

    @Test func closingThrowsWhatTheBodyThrowsInstead() throws {
        let generator = Generator<Void, Int> { yield in
            do { try await yield(1) } catch { throw Stop(number: 7) }
        }
        #expect(try generator.next() == 1)
        #expect(throws: Stop(number: 7)) { try generator.close() }
        try generator.close()
    }

    @Test func anErrorEndsEachIteration() async throws {
        func make() -> Generator<Void, Int> {
            Generator { yield in
                try await yield(1)
                throw Stop(number: 5)
            }
        }
        let plain = make()
        #expect(Array(plain) == [1])
        #expect(plain.failure as? Stop == Stop(number: 5))
        var seen: [Int] = []
        await #expect(throws: Stop(number: 5)) { for try await number in make() { seen.append(number) } }
        #expect(seen == [1])
    }

    // In a process that ends without a search for leaks: what is left is one.
    @Test func aBodyThatNeverEndsIsLeft() async {
        await #expect(processExitsWith: .success) {
            func make() -> Generator<Void, Int> { Generator { yield in while true { _ = try? await yield(1) } } }
            let closed = make()
            var isRight = try closed.next() == 1
            do {
                try closed.close()
                isRight = false
            } catch GeneratorError.endIgnored {}
            try closed.close()
            isRight = try isRight && closed.next() == nil
            var dropped: Generator<Void, Int>? = make()
            isRight = try isRight && dropped?.next() == 1
            dropped = nil
            _exit(isRight ? 0 : 1)
        }
    }

    @Test func aBodyThatIgnoresItsEndIsCancelled() throws {
        let transcript = Transcript()
        let generator = Generator<Void, Int> { yield in
            defer { transcript.add("deferred") }
            while !Task.isCancelled { _ = try? await yield(1) }
        }
        #expect(try generator.next() == 1)
        try generator.close()
        #expect(transcript.all == ["deferred"])
    }

    @Test func closingItselfEndsTheBodyAtItsNextYield() throws {
        final class Box: @unchecked Sendable { var generator: Generator<Void, Int>? }
        let box = Box(), transcript = Transcript()
        let generator = Generator<Void, Int> { yield in
            defer { transcript.add("deferred, cancelled: \(Task.isCancelled)") }
            try await yield(1)
            try box.generator?.close()
            try await yield(2)
        }
        box.generator = generator
        defer { box.generator = nil }
        #expect(try generator.next() == 1)
        #expect(try generator.next() == nil)
        #expect(transcript.all == ["deferred, cancelled: true"])
    }

    @Test func aYieldAfterTheEndRevivesNothing() async throws {
        final class Box: @unchecked Sendable { var yielder: Generator<Void, Int>.Yielder? }
        let box = Box()
        let generator = Generator<Void, Int> { yield in box.yielder = yield }
        #expect(try generator.next() == nil)
        for _ in 0..<200 { await #expect(throws: GeneratorError.closed) { try await box.yielder?(1) } }
        #expect(try generator.next() == nil)
    }

    @Test(.ownThread) func askingItselfAfterAWaitIsAnError() throws {
        final class Box: @unchecked Sendable { var generator: Generator<Void, String>? }
        let seen = try EventLoop.run { loop in
            let box = Box()
            let generator = Generator<Void, String> { yield in
                guard let own = box.generator else { return }
                try await loop.sleep(for: .milliseconds(1))
                do { _ = try own.next() } catch { try await yield("\(error)") }
                try await loop.sleep(for: .milliseconds(1))
                do { for try await _ in own {} } catch { try await yield("\(error)") }
            }
            box.generator = generator
            defer { box.generator = nil }
            var seen: [String] = []
            for try await line in generator { seen.append(line) }
            return seen
        }
        #expect(seen == Array(repeating: "the generator is already running", count: 2))
    }

    @Test(.ownThread) func anErrorThrownIntoOneThatEndedLateIsNotSwallowed() throws {
        try EventLoop.run { loop in
            for bodyError in [nil, Stop(number: 1)] {
                let generator = Generator<Void, Int> { _ in
                    try await loop.sleep(for: .milliseconds(1))
                    if let bodyError { throw bodyError }
                }
                #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.next() }
                #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.throw(Stop()) }
                var caught: Stop?
                while caught == nil {
                    try await loop.sleep(for: .milliseconds(1))
                    do {
                        _ = try generator.throw(Stop(number: 2))
                        Issue.record("swallowed")
                    } catch let error as Stop { caught = error } catch {}
                }
                #expect(caught == bodyError ?? Stop(number: 2))
                #expect(try generator.next() == nil)
            }
        }
    }

    @Test(.ownThread) func closingOneThatWaitsForSomethingElseCancelsIt() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let ended = AsyncStream<Void>.makeStream()
            let generator = Generator<Void, Int> { yield in
                defer { ended.continuation.finish() }
                do { try await loop.sleep(for: .seconds(1_000)) } catch { transcript.add("\(error)") }
                try await yield(1)
            }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.next() }
            try generator.close()
            for await _ in ended.stream {}
            for _ in 0..<10 { try await loop.sleep(for: .zero) }
            #expect(try generator.next() == nil)
        }
        #expect(transcript.all == ["CancellationError()"])
    }

    @Test(.ownThread) func oneThatWaitsOnItsWayOutSaysSo() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let ended = AsyncStream<Void>.makeStream()
            let generator = Generator<Void, Int> { yield in
                defer { ended.continuation.finish() }
                do { try await yield(1) } catch {
                    try await loop.sleep(for: .milliseconds(1))
                    transcript.add("\(error)")
                }
            }
            _ = try generator.next()
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator.close() }
            for await _ in ended.stream {}
        }
        #expect(transcript.all == ["the generator was closed"])
    }

    @Test(.ownThread, arguments: [false, true])
    func droppingOneWhoseLastWordWasNotHeard(yields: Bool) throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let (came, ended) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
            var generator: Generator<Void, Int>? = Generator { yield in
                defer { ended.continuation.finish() }
                try await loop.sleep(for: .milliseconds(1))
                came.continuation.finish()
                if yields { do { try await yield(1) } catch { transcript.add("\(error)") } }
            }
            #expect(throws: GeneratorError.waitsForSomethingElse) { try generator?.next() }
            for await _ in came.stream {}
            // The body, which is on the loop as well, has its turns to give the value or to end.
            for _ in 0..<10 { try await loop.sleep(for: .zero) }
            generator = nil
            for await _ in ended.stream {}
        }
        #expect(transcript.all == (yields ? ["the generator was closed"] : []))
    }
}
