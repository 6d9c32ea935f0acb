import AsyncUV
import Coroutines
import TestSupport
import Testing

@Suite(.ownThread, .timeLimit(.minutes(1))) struct GreenletTests {
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
}
