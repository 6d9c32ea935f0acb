import TestSupport
import Testing

@testable import AsyncUV

/// The wheel of timers by itself: no loop, and the clock is a number.
@Suite struct TimerWheelTests {
    private static let second: Int64 = 1_000_000_000

    @Test("10,000 random starts, cancels and turns of the clock, against a sorted array", arguments: 1...8)
    func againstAModel(seed: UInt64) {
        for isCoarse in [true, false] {
            var model = Model(isCoarse: isCoarse, seed: seed)
            for _ in 0..<10_000 {
                model.step()
                if model.isWrong { break }
            }
            model.end()
        }
    }

    @Test func anEntryIsKeptUntilItIsRemovedOrDue() {
        let wheel = TimerWheel(.millisecond)
        weak var removed: Entry?
        weak var due: Entry?
        weak var left: Entry?
        do {
            let entries = (1...3).map { Entry($0, at: Int64($0) * Self.second) }
            (removed, due, left) = (entries[0], entries[1], entries[2])
            for entry in entries { _ = wheel.insert(entry) }
            wheel.remove(entries[0])
            wheel.remove(entries[0])
        }
        #expect(removed == nil && due != nil)
        wheel.advance(to: 2 * Self.second)
        #expect((wheel.popDue() as? Entry)?.number == 2)
        #expect(due == nil && left != nil && wheel.popDue() == nil)
        wheel.removeAll()
        #expect(left == nil && wheel.isEmpty)
    }

    @Test func whatIsDueCanStillBeRemoved() {
        let wheel = TimerWheel(.millisecond)
        let entries = (0..<5).map { Entry($0, at: Self.second) }
        for entry in entries { _ = wheel.insert(entry) }
        wheel.advance(to: Self.second)
        for number in [0, 2, 4] { wheel.remove(entries[number]) }
        #expect((wheel.popDue() as? Entry)?.number == 1)
        wheel.remove(entries[3])
        #expect(wheel.popDue() == nil && wheel.isEmpty)
    }

    @Test("A single sleep of an hour wakes nobody before; a thousand of them wake the loop a few times")
    func noWakeUpsInVain() {
        for (count, most) in [(1, 1), (2, 5), (1_000, 5)] {
            let wheel = TimerWheel(.millisecond)
            wheel.advance(to: 123_456_789_012_345)
            let deadline: Int64 = 123_456_789_012_345 + 3_600 * Self.second
            let entries = (0..<count).map { Entry($0, at: deadline) }
            for entry in entries { _ = wheel.insert(entry) }
            var wakes = 0
            while let tick = wheel.nextTick {
                wakes += 1
                wheel.advance(to: wheel.time(of: tick))
                while wheel.popDue() != nil { #expect(tick == (deadline + 999_999) / 1_000_000) }
            }
            #expect(wakes <= most, "\(count) entries")
        }
    }

    @Test func strangeDeadlines() {
        #expect(Duration.seconds(Int64.max).wholeNanoseconds == .max)
        #expect(Duration.seconds(Int64.min).wholeNanoseconds == .min)
        #expect(Duration(attoseconds: 1).wholeNanoseconds == 1)
        #expect(Duration(attoseconds: -1).wholeNanoseconds == 0)
        for wheel in [TimerWheel(.millisecond), TimerWheel(.microsecond)] {
            let entries = [.max, .min, 0, .max - 1, 1].enumerated().map { Entry($0, at: $1) }
            for entry in entries { _ = wheel.insert(entry) }
            wheel.advance(to: .min)
            #expect(wheel.popDue() == nil)
            wheel.advance(to: 1_000_000)
            #expect((0..<3).map { _ in (wheel.popDue() as? Entry)?.number } == [1, 2, 4])
            wheel.advance(to: .max - 1_000_000)
            #expect(wheel.popDue() == nil)
            let next = Entry(9, at: .max)
            #expect(wheel.insert(next) >= wheel.nextTick ?? 0)
            #expect(wheel.time(of: .max) == .max)
        }
    }
}

private final class Entry: TimerEntry {
    let number: Int
    /// The first tick in which it may be due.
    var tick: Int64 = 0

    init(_ number: Int, at nanoseconds: Int64) {
        self.number = number
        super.init(deadline: .nanoseconds(nanoseconds))
    }
}

/// A wheel, and what it should do.
private struct Model {
    private let wheel: TimerWheel
    private let tickLength: Int64
    private var generator: SeededGenerator
    private var entries: [Entry] = []
    private var now: Int64
    private var latest: Int64
    private var number = 0
    private(set) var isWrong = false

    init(isCoarse: Bool, seed: UInt64) {
        wheel = TimerWheel(isCoarse ? .millisecond : .microsecond)
        tickLength = isCoarse ? 1_000_000 : 1_000
        generator = SeededGenerator(seed: seed)
        now = Int64.random(in: 0...1 << 50, using: &generator)
        latest = now
        wheel.advance(to: now)
    }

    mutating func step() {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5: add()
        case 5..<7: cancel()
        default: turn()
        }
    }

    private mutating func add() {
        // The last one is a century.
        let spans = [0, 1_000, 1_000_000, 100_000_000, 10_000_000_000, 1 << 45, 1 << 50, 3_155_760_000_000_000_000]
        let span = Int64(spans.randomElement(using: &generator) ?? 0)
        let deadline =
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: now - Int64.random(in: 0...span, using: &generator)
            case 1: entries.randomElement(using: &generator)?.time ?? now
            default: later(by: Int64.random(in: 0...span, using: &generator))
            }
        let entry = Entry(number, at: deadline)
        number += 1
        entry.tick = max((deadline + tickLength - 1) / tickLength, latest / tickLength + 1)
        isWrong = isWrong || wheel.insert(entry) != entry.tick
        entries.append(entry)
        check(!isWrong, "the tick of \(deadline) at \(now)")
    }

    private mutating func cancel() {
        guard let index = entries.indices.randomElement(using: &generator) else { return }
        wheel.remove(entries.remove(at: index))
    }

    /// Lets the clock go on: a little, much, to where the wheel wants it, or back.
    private mutating func turn() {
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: now = later(by: Int64.random(in: 0...1 << 48, using: &generator))
        case 1: now -= min(now, Int64.random(in: 0...1 << 32, using: &generator))
        case 2, 3: now = max(now, min(.max / 2, wheel.nextTick.map { wheel.time(of: $0) } ?? now))
        default: now = later(by: Int64.random(in: 0...20 * tickLength, using: &generator))
        }
        latest = max(latest, now)
        wheel.advance(to: now)
        let due = entries.filter { $0.tick <= latest / tickLength }
            .sorted { ($0.time, $0.number) < ($1.time, $1.number) }
        entries.removeAll { $0.tick <= latest / tickLength }
        takeDue(due.map(\.number))
        let next = wheel.nextTick
        if let first = entries.map(\.tick).min() {
            check(next.map { $0 > latest / tickLength && $0 <= first } == true, "next \(String(describing: next))")
        } else {
            check(next == nil, "an empty wheel")
        }
    }

    private func later(by span: Int64) -> Int64 { min(now, .max / 2) + min(span, .max / 2 - tickLength) }

    private mutating func takeDue(_ expected: [Int]) {
        var taken: [Int] = []
        while let entry = wheel.popDue() as? Entry {
            taken.append(entry.number)
            check(!entry.isQueued && entry.time <= latest, "early")
        }
        check(taken == expected, "at \(now): \(taken) instead of \(expected)")
    }

    private mutating func check(_ isRight: Bool, _ text: Comment) {
        if !isRight { isWrong = true }
        #expect(isRight, text)
    }

    mutating func end() {
        for entry in entries { wheel.remove(entry) }
        check(wheel.isEmpty, "all are gone")
    }
}
