import AsyncUV
import Coroutines
import Foundation
import TestSupport
import Testing

@Suite(.ownThread) struct GreenletTests {
    private struct Stop: Error, Equatable {}

    @Test func theArticlesNumbers() throws {
        let transcript = Transcript()
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let first = Greenlet(parent: main), second = Greenlet(parent: main)
                first.body {
                    transcript.add(12)
                    try await first.switch(to: second)
                    transcript.add(34)
                    try await first.switch(to: second)
                }
                second.body {
                    transcript.add(56)
                    try await second.switch(to: first)
                    transcript.add(78)
                }
                try await main.switch(to: first)
                #expect(second.isDead && !first.isDead)
            }
        }
        #expect(transcript.all == ["12", "56", "34", "78"])
    }

    @Test func valuesGoAlongAndResultsToTheParent() throws {
        let results = try EventLoop.run { _ in
            try await Greenlet<Int>.run { main in
                let adder = Greenlet(parent: main)
                adder.body { first in
                    let second = try await adder.switch(to: main, with: first + 1)
                    return first + second
                }
                let one = try await main.switch(to: adder, with: 10)
                let two = try await main.switch(to: adder, with: 5)
                return [one, two]
            }
        }
        #expect(results == [11, 15])
    }

    @Test func aDeadParentsParentInherits() throws {
        let value = try EventLoop.run { _ in
            try await Greenlet<Int>.run { main in
                let parent = Greenlet(parent: main), child = Greenlet(parent: parent)
                parent.body { $0 }
                child.body { _ in try await child.switch(to: main, with: 1) * 2 }
                #expect(try await main.switch(to: parent, with: 7) == 7)
                #expect(try await main.switch(to: child, with: 0) == 1)
                return try await main.switch(to: child, with: 21)
            }
        }
        #expect(value == 42)
    }

    @Test func errorsGoToTheParentAndIntoOthers() throws {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let failing = Greenlet(parent: main), patient = Greenlet(parent: main), fresh = Greenlet(parent: main)
                failing.body { throw Stop() }
                await #expect(throws: Stop.self) { try await main.switch(to: failing) }
                await #expect(throws: GreenletError.dead) { try await main.switch(to: failing) }

                patient.body { do { try await patient.switch(to: main) } catch is Stop {} }
                try await main.switch(to: patient)
                try await main.throw(Stop(), into: patient)
                #expect(patient.isDead)

                await #expect(throws: GreenletError.noBody) { try await main.switch(to: fresh) }
                fresh.body {}
                await #expect(throws: Stop.self) { try await main.throw(Stop(), into: fresh) }
                #expect(fresh.isDead)
                await #expect(throws: GreenletError.notRunning) { try await fresh.switch(to: main) }
            }
        }
    }

    @Test func whatIsLeftIsEnded() throws {
        let transcript = Transcript()
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let stubborn = Greenlet(parent: main)
                stubborn.body {
                    defer { transcript.add("deferred") }
                    for _ in 0..<2 {
                        do { try await stubborn.switch(to: main) } catch { transcript.add("\(error)") }
                    }
                }
                try await main.switch(to: stubborn)
            }
        }
        #expect(transcript.all == ["the greenlets' run has ended", "the greenlets' run has ended", "deferred"])
    }

    @Test func aHundredThousandSwitchesLeaveTheLoopItsTurns() throws {
        let ticks = try EventLoop.run { loop in
            let ticking = loop.spawn {
                var count = 0
                while !Task.isCancelled {
                    try? await loop.sleep(for: .milliseconds(1))
                    count += 1
                }
                return count
            }
            try await Greenlet<Int>.run { main in
                let other = Greenlet(parent: main)
                other.body { first in
                    var value = first
                    while value < 100_000 { value = try await other.switch(to: main, with: value + 1) }
                    return value
                }
                var value = 0
                while value < 100_000 { value = try await main.switch(to: other, with: value + 1) }
            }
            ticking.cancel()
            return try await ticking.value
        }
        #expect(ticks > 1)
    }

    @Test func cancellationReachesTheRunningGreenlet() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            let running = loop.spawn {
                try await Greenlet<Void>.run { main in
                    let sleeper = Greenlet(parent: main), patient = Greenlet(parent: main)
                    sleeper.body {
                        transcript.add("sleeps, cancelled: \(Task.isCancelled)")
                        do { try await loop.sleep(for: .seconds(1_000)) } catch {
                            transcript.add("\(error)")
                            throw error
                        }
                    }
                    patient.body {
                        try await patient.switch(to: main)
                        transcript.add("patient, cancelled: \(Task.isCancelled)")
                    }
                    try await main.switch(to: patient)
                    do { try await main.switch(to: sleeper) } catch { transcript.add("the parent gets \(error)") }
                    try await main.switch(to: patient)
                    let late = Greenlet(parent: main)
                    late.body { transcript.add("late, cancelled: \(Task.isCancelled)") }
                    try await main.switch(to: late)
                    try Task.checkCancellation()
                }
            }
            while transcript.all.isEmpty { try await loop.sleep(for: .milliseconds(1)) }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
        }
        #expect(
            transcript.all == [
                "sleeps, cancelled: false", "CancellationError()", "the parent gets CancellationError()",
                "patient, cancelled: true", "late, cancelled: true",
            ])
    }

    @Test func aDeepChainNeedsNoStack() throws {
        let depth = 20_000
        let sum = try EventLoop.run { _ in
            try await Greenlet<Int>.run { main in
                var innermost = main
                var chain: [Greenlet<Int>] = []
                for _ in 0..<depth {
                    let next = Greenlet(parent: innermost)
                    chain.append(next)
                    innermost = next
                }
                // Each begins the next, which is its child: the last one's result comes back through all of them.
                for (index, greenlet) in chain.enumerated() {
                    let child = index + 1 < depth ? chain[index + 1] : nil
                    greenlet.body { value in
                        guard let child else { return value }
                        return try await greenlet.switch(to: child, with: value + 1) + 1
                    }
                }
                return try await main.switch(to: chain[0], with: 0)
            }
        }
        #expect(sum == 2 * (depth - 1))
    }

    @Test func aLongChainOfParentsIsForgottenWithoutStack() throws {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                var last = main
                for _ in 0..<200_000 { last = Greenlet(parent: last) }
            }
        }
    }

    @Test func nothingIsLeftOfGreenletsInAnyState() throws {
        final class Witness: Sendable {}
        final class Weak: @unchecked Sendable { weak var witness: Witness? }
        @Sendable func run(_ left: Weak) async throws {
            let witness = Witness()
            left.witness = witness
            try await Greenlet<Void>.run { main in
                let fresh = Greenlet(parent: main), waiting = Greenlet(parent: main), dead = Greenlet(parent: main)
                fresh.body { withExtendedLifetime((fresh, witness)) {} }
                waiting.body {
                    try await waiting.switch(to: main)
                    withExtendedLifetime(witness) {}
                }
                dead.body { withExtendedLifetime((dead, witness)) {} }
                try await main.switch(to: waiting)
                try await main.switch(to: dead)
            }
        }
        try EventLoop.run { loop in
            let left = Weak()
            try await run(left)
            // The runtime lets go of a task's closure a moment after the task has ended.
            while left.witness != nil { try await loop.sleep(for: .milliseconds(1)) }
        }
    }

    @Test func greenletsThatSwitchForEverDoNotStarveAnEcho() throws {
        let echoed = try EventLoop.run { loop in
            let switching = loop.spawn {
                try await Greenlet<Void>.run { main in
                    let other = Greenlet(parent: main)
                    other.body { while true { try await other.switch(to: main) } }
                    while !Task.isCancelled { try await main.switch(to: other) }
                }
            }
            let count = try await Echo.roundTrips(50)
            switching.cancel()
            try await switching.value
            return count
        }
        #expect(echoed == 50)
    }

    // MARK: Edges

    // Each parent that had not begun died one call deeper.
    @Test func aLongChainOfParentsThatNeverBeganNeedsNoStack() throws {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                var last = main
                for _ in 0..<200_000 { last = Greenlet(parent: last) }
                let (child, chain) = (Greenlet(parent: last), last)
                child.body {}
                await #expect(throws: Stop.self) { try await main.throw(Stop(), into: child) }
                #expect(chain.isDead)

                last = main
                for _ in 0..<200_000 { last = Greenlet(parent: last) }
                let ending = Greenlet(parent: last)
                ending.body {}
                await #expect(throws: GreenletError.noBody) { try await main.switch(to: ending) }
            }
        }
    }

    @Test func aParentThatHasNotBegunInherits() throws {
        let results = try EventLoop.run { _ in
            try await Greenlet<Int>.run { main in
                let heir = Greenlet(parent: main), child = Greenlet(parent: heir)
                heir.body { $0 * 10 }
                child.body { $0 + 1 }
                let inherited = try await main.switch(to: child, with: 1)
                let failing = Greenlet(parent: heir)
                failing.body { _ in throw Stop() }
                await #expect(throws: Stop.self) { try await main.switch(to: failing, with: 0) }
                return [inherited, heir.isDead ? 1 : 0]
            }
        }
        #expect(results == [20, 1])
    }

    @Test func onlyAGreenletItselfGivesWay() throws {
        let transcript = Transcript()
        try EventLoop.run { loop in
            try await Greenlet<Void>.run { main in
                let other = Greenlet(parent: main)
                other.body { transcript.add("begun") }
                let tasks = [
                    loop.spawn { try await main.switch(to: other) },
                    loop.spawn { try await main.throw(Stop(), into: other) },
                    Task.detached { try await main.switch(to: other) },
                ]
                for task in tasks { await #expect(throws: GreenletError.notRunning) { try await task.value } }
                await withTaskGroup { group in
                    group.addTask {
                        await #expect(throws: GreenletError.notRunning) { try await main.switch(to: other) }
                    }
                }
                await #expect(throws: GreenletError.notRunning) { try await other.switch(to: main) }
                #expect(transcript.all == [])
                try await main.switch(to: other)
            }
        }
        #expect(transcript.all == ["begun"])
    }

    @Test func greenletsOfAnotherRunAreStrangers() throws {
        try EventLoop.run { loop in
            let elsewhere = try EventLoop()
            try await Greenlet<Void>.run { main in
                for loop in [loop, elsewhere] {
                    try await Greenlet<Void>.run(on: loop) { second in
                        await #expect(throws: GreenletError.stranger) { try await second.switch(to: main) }
                        await #expect(throws: GreenletError.stranger) { try await second.throw(Stop(), into: main) }
                    }
                }
            }
            await elsewhere.shutdown()
        }
    }

    // Those that waited were dropped: their tasks stayed for ever, and their `defer`s did not run.
    @Test func whoIsLeftWhenTheLoopEndsIsEnded() async throws {
        let transcript = Transcript()
        let loop = try EventLoop()
        let arrived = AsyncStream<Void>.makeStream()
        let running = loop.spawn {
            try await Greenlet<Void>.run { main in
                let patient = Greenlet(parent: main), stubborn = Greenlet(parent: main)
                patient.body {
                    defer { transcript.add("patient") }
                    try await patient.switch(to: main)
                }
                stubborn.body {
                    defer { transcript.add("stubborn") }
                    while !Task.isCancelled { try? await stubborn.switch(to: main) }
                }
                try await main.switch(to: patient)
                try await main.switch(to: stubborn)
                arrived.continuation.finish()
                try await loop.sleep(for: .seconds(1_000))
            }
        }
        for await _ in arrived.stream {}
        await loop.shutdown()
        await #expect(throws: UVError.self) { try await running.value }
        #expect(transcript.all == ["patient", "stubborn"])
    }

    @Test func whatIsLeftIsEndedInTheOrderOfTheBodies() throws {
        let transcript = Transcript()
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                for number in 1...20 {
                    let greenlet = Greenlet(parent: main)
                    greenlet.body {
                        defer { transcript.add(number) }
                        try await greenlet.switch(to: main)
                    }
                    try await main.switch(to: greenlet)
                }
            }
        }
        #expect(transcript.all == (1...20).map { "\($0)" })
    }

    // In a process that ends without a search for leaks: what is left is one.
    @Test func oneThatNeverEndsIsLeft() async {
        await #expect(processExitsWith: .success) {
            let transcript = Transcript()
            try await Greenlet<Void>.run { main in
                let stubborn = Greenlet(parent: main), last = Greenlet(parent: main)
                stubborn.body { while true { try? await stubborn.switch(to: main) } }
                last.body {
                    defer { transcript.add("last") }
                    try await last.switch(to: main)
                }
                try await main.switch(to: stubborn)
                try await main.switch(to: last)
            }
            _exit(transcript.all == ["last"] ? 0 : 1)
        }
    }

    @Test func aBodyComesBeforeTheFirstSwitch() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            try await Greenlet<Void>.run { main in main.body {} }
        }
        let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(text.contains("a greenlet that has begun cannot get a body"))
    }

    @Test func aDeadGreenletTakesNothing() throws {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let dead = Greenlet(parent: main)
                dead.body {}
                try await main.switch(to: dead)
                await #expect(throws: GreenletError.dead) { try await main.throw(Stop(), into: dead) }
                await #expect(throws: GreenletError.dead) { try await main.switch(to: dead) }
            }
        }
    }

    @Test func aSwitchToItselfReturnsAtOnce() throws {
        try EventLoop.run { _ in
            try await Greenlet<Int>.run { (main) async throws in
                #expect(try await main.switch(to: main, with: 7) == 7)
                await #expect(throws: Stop.self) { try await main.throw(Stop(), into: main) }
                let other = Greenlet(parent: main)
                other.body { try await other.switch(to: other, with: $0 + 1) + 1 }
                #expect(try await main.switch(to: other, with: 1) == 3)
            }
        }
    }

    @Test func anErrorPassesADeadParent() throws {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let parent = Greenlet(parent: main), child = Greenlet(parent: parent)
                parent.body {}
                child.body {
                    try await child.switch(to: main)
                    throw Stop()
                }
                try await main.switch(to: child)
                try await main.switch(to: parent)
                #expect(parent.isDead && !child.isDead)
                await #expect(throws: Stop.self) { try await main.switch(to: child) }
            }
        }
    }

    // The child has its end first, and returns to a parent that has not begun.
    @Test func afterTheEndNothingBegins() throws {
        let transcript = Transcript()
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let parent = Greenlet(parent: main), child = Greenlet(parent: parent)
                child.body {
                    do { try await child.switch(to: main) } catch { transcript.add("\(error)") }
                }
                parent.body { transcript.add("begun") }
                try await main.switch(to: child)
            }
        }
        #expect(transcript.all == ["the greenlets' run has ended"])
    }
}
