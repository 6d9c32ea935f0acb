import AsyncUV
import Coroutines
import Synchronization
import UV

/// What the green tasks of a round share. Their loop is that of the process.
final class GreenThings: Sendable {
    static let permits = 3

    let queue: GreenQueue<Int>
    let ledger = Ledger()
    let semaphore = GreenSemaphore(permits)
    let inside = Atomic(0)
    static let size = 4
    let pool = GreenPool(size: size)
    let running = Atomic(0)

    init(capacity: Int) { queue = GreenQueue(capacity: capacity) }

    /// What all have used together is whole.
    @GreenActor func check() async throws {
        try await pool.join()
        while queue.count > 0 { ledger.received(try await queue.get()) }
        ledger.check()
        if inside.load(ordering: .acquiring) != 0 { fail("a green task is still inside the semaphore") }
        if semaphore.available != Self.permits { fail("\(semaphore.available) green permits of \(Self.permits)") }
        if running.load(ordering: .acquiring) != 0 { fail("a task of the pool still runs") }
    }

    /// Counts who is in; at the end nobody is.
    func enter(_ count: borrowing Atomic<Int>, most: Int, _ what: String) {
        if count.add(1, ordering: .acquiringAndReleasing).newValue > most { fail("\(what): more than \(most)") }
    }
}

extension AsyncWorker {
    func green(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let things = round.green
        let time = Duration.microseconds(dice.number(0...4_000))
        let what = "worker \(number), green"
        switch dice.number(0...6) {
        case 0, 1:
            let element = things.ledger.next()
            let gives = dice.oneIn(2)
            let task = Green.spawn {
                if gives {
                    try await things.queue.put(element)
                    things.ledger.sent(element)
                } else {
                    things.ledger.received(try await things.queue.get())
                }
            }
            // The other side may never come.
            try? await loop.sleep(for: time)
            task.kill()
            try await task.value
        case 2:
            let task = Green.spawn {
                try await things.semaphore.withPermit {
                    things.enter(things.inside, most: GreenThings.permits, what)
                    defer { things.inside.subtract(1, ordering: .acquiringAndReleasing) }
                    try await Green.sleep(time)
                }
            }
            if dice.oneIn(2) {
                try? await loop.sleep(for: time)
                task.kill()
            }
            try await task.value
        case 3: try await join(&dice, what)
        case 4:
            let count = dice.number(0...20)
            let last = dice.oneIn(2) ? count : dice.number(0...count)
            var expected = 0
            for try await number in Green.imap(
                0..<count, atOnce: dice.number(1...5),
                { number in
                    try await Green.sleep(.microseconds(number % 4 * 200))
                    return number
                })
            {
                if number != expected { fail("\(what): imap gives \(number) instead of \(expected)") }
                expected += 1
                if expected == last { break }
            }
            if expected != last, last > 0 { fail("\(what): imap gives \(expected) of \(count)") }
        case 5:
            var tasks: [GreenTask<Int>] = []
            for index in 0..<dice.number(1...6) {
                tasks.append(
                    try await things.pool.spawn {
                        things.enter(things.running, most: GreenThings.size, what)
                        defer { things.running.subtract(1, ordering: .acquiringAndReleasing) }
                        try await Green.sleep(.microseconds(index * 100))
                        return index
                    })
            }
            if dice.oneIn(3) { tasks[0].kill() }
            for (index, task) in tasks.enumerated() {
                if case .success(let value)? = try await task.join(), value != index { fail("\(what): pool") }
            }
        default:
            let (worker, start) = (self, dice)
            let task = Green.spawn {
                var dice = start
                let server = worker.round.servers[dice.number(0...1)]
                try await worker.echo(TCPConnection.connect(to: server, on: GreenActor.shared.loop), &dice)
            }
            if dice.oneIn(3) {
                try? await loop.sleep(for: time)
                task.kill()
            }
            try await task.value
        }
    }

    /// Tasks of which some are killed, and waiting for an event that may come.
    private func join(_ dice: inout Dice, _ what: String) async throws {
        let event = GreenEvent()
        let tasks = (0..<dice.number(1...10)).map { number in
            Green.spawn {
                if number % 3 == 0 { return try await event.wait(timeout: .milliseconds(3)) ? number : -1 }
                try await Green.sleep(.microseconds(number * 200))
                return number
            }
        }
        var killed: Set<Int> = []
        for index in tasks.indices where dice.oneIn(4) {
            tasks[index].kill()
            killed.insert(index)
        }
        let sets = dice.oneIn(2)
        if sets { await event.set() }
        let limit = Duration.microseconds(dice.number(0...3_000))
        let first = dice.oneIn(2) ? try? await Green.joinAll(tasks, timeout: limit) : nil
        // A caller that is cancelled does not leave them behind.
        for task in tasks { _ = try? await task.value }
        for (index, result) in try await Green.joinAll(tasks).enumerated() {
            switch result {
            case nil: fail("\(what): task \(index) has no result after its end")
            case .success(let value)?:
                if value != index && value != -1 { fail("\(what): task \(index) gives \(value)") }
            case .failure(let error)?:
                if !killed.contains(index) { fail("\(what): task \(index) that nobody has killed: \(error)") }
            }
            if let first, case .success(let early)? = first[index], case .success(let late)? = result, early != late {
                fail("\(what): task \(index) gives \(early), and later \(late)")
            }
        }
    }

    /// Generators and greenlets.
    func coroutines(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let what = "worker \(number), coroutine"
        let count = dice.number(0...50)
        let last = dice.number(0...60)
        switch dice.number(0...2) {
        case 0:
            let hasEnded = Flag()
            do {
                let sums = Generator<Int, Int> { yield in
                    defer { hasEnded.set() }
                    var sum = 0
                    for _ in 0..<count { sum += try await yield(sum) }
                }
                var sum = 0
                var found = try sums.next()
                var steps = 0
                while let value = found, steps < last {
                    if value != sum { fail("\(what): a generator gives \(value) instead of \(sum)") }
                    let next = dice.number(0...100)
                    sum += next
                    steps += 1
                    found = try sums.send(next)
                }
                if steps != min(last, count) { fail("\(what): a generator gives \(steps) of \(count) values") }
                if dice.oneIn(2) { try sums.close() }
            }
            if !hasEnded.isSet { fail("\(what): a generator that is closed or dropped has not ended") }
        case 1:
            let values = Generator<Void, Int> { yield in
                for number in 0..<count {
                    if number % 8 == 0 { try await loop.sleep(for: .microseconds(100)) }
                    try await yield(number)
                }
            }
            var expected = 0
            for try await value in values {
                if value != expected { fail("\(what): a generator that waits gives \(value) instead of \(expected)") }
                expected += 1
                if expected > last { break }
            }
            if expected != min(last + 1, count) { fail("\(what): \(expected) of \(count) values") }
        default:
            let found = try await Greenlet<Int>.run(on: loop) { main in
                let other = Greenlet(parent: main)
                other.body { first in
                    var value = first
                    while true {
                        if value % 16 == 0 { try await loop.sleep(for: .microseconds(50)) }
                        value = try await other.switch(to: main, with: value + 1)
                    }
                }
                var value = 0
                for _ in 0..<count { value = try await main.switch(to: other, with: value) }
                return value
            }
            if found != count { fail("\(what): greenlets count to \(found) instead of \(count)") }
        }
    }
}

/// Something that has happened.
private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
