import ArgumentParser
import AsyncUV
import Coroutines
import Foundation
import Measurement

/// One number, measured in a process of its own.
enum Trial: String, CaseIterable, ExpressibleByArgument {
    case greenlet, generator, bareGenerator, spawn, sleepers, million

    /// Nanoseconds or bytes for each of so many.
    func run(_ count: Int) throws -> Double {
        switch self {
        case .greenlet: try Self.greenlet(count)
        case .generator: try Self.generator(count)
        case .bareGenerator: Self.bareGenerator(count)
        case .spawn: try EventLoop.run { _ in try await Self.spawn(count) }
        case .sleepers: try EventLoop.run { _ in try await Self.sleepers(count) }
        case .million: try EventLoop.run { _ in try await Self.sleepAndEnd(count) }
        }
    }

    /// CPU time of all threads, for each of so many.
    private static func nanoseconds(_ count: Int, _ body: () async throws -> Void) async rethrows -> Double {
        let start = processTime()
        try await body()
        return Double(processTime() - start) / Double(count)
    }

    private static func nanoseconds(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
        let start = processTime()
        try body()
        return Double(processTime() - start) / Double(count)
    }

    private static func processTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    // MARK: Hand-overs

    /// Two greenlets that switch to each other, as in Python's row.
    private static func greenlet(_ count: Int) throws -> Double {
        try EventLoop.run { _ in
            try await Greenlet<Void>.run { main in
                let other = Greenlet(parent: main)
                other.body { while true { try await other.switch(to: main) } }
                for _ in 0..<count / 10 { try await main.switch(to: other) }
                return try await nanoseconds(count) {
                    for _ in 0..<count / 2 { try await main.switch(to: other) }
                }
            }
        }
    }

    private static func generator(_ count: Int) throws -> Double {
        let numbers = Generator<Void, Int> { yield in
            var number = 0
            while true {
                try await yield(number)
                number += 1
            }
        }
        var sum = 0
        for _ in 0..<count / 10 { sum += try numbers.next() ?? 0 }
        let result = try nanoseconds(count) {
            for _ in 0..<count { sum += try numbers.next() ?? 0 }
        }
        precondition(sum > 0)
        return result
    }

    private static func bareGenerator(_ count: Int) -> Double {
        let numbers = BareGenerator { yield in
            var number = 0
            while true {
                await yield(number)
                number += 1
            }
        }
        var sum = 0
        for _ in 0..<count / 10 { sum += numbers.next() }
        let result = nanoseconds(count) {
            for _ in 0..<count { sum += numbers.next() }
        }
        precondition(sum > 0)
        return result
    }

    // MARK: Green tasks

    /// All tasks are there before the first runs; the second of two crowds counts.
    @GreenActor
    private static func spawn(_ count: Int) async throws -> Double {
        try await giveWay(count)
        return try await nanoseconds(count) { try await giveWay(count) }
    }

    @GreenActor
    private static func giveWay(_ count: Int) async throws {
        let tasks = (0..<count).map { _ in Green.spawn { try await Green.sleep(.zero) } }
        for result in try await Green.joinAll(tasks) { try result?.get() }
    }

    @GreenActor
    private static func sleepers(_ count: Int) async throws -> Double {
        _ = try await sleeping(1_000, { 0 })
        let before = try privateMemory()
        return try await sleeping(count) { Double(try privateMemory() - before) / Double(count) }
    }

    /// Looks at tasks that all sleep, then ends them.
    @GreenActor
    private static func sleeping(_ count: Int, _ look: () throws -> Double) async throws -> Double {
        let tasks = (0..<count).map { _ in Green.spawn { try await Green.sleep(.seconds(3_600)) } }
        // Each runs once in the first, and sleeps then.
        for _ in 0..<5 { try await Green.sleep(.zero) }
        let result = try look()
        for task in tasks { task.kill() }
        _ = try await Green.joinAll(tasks)
        return result
    }

    @GreenActor
    private static func sleepAndEnd(_ count: Int) async throws -> Double {
        try await nanoseconds(count) {
            let tasks = (0..<count).map { number in
                Green.spawn {
                    try await Green.sleep(.milliseconds(1))
                    return number
                }
            }
            let sum = try await Green.joinAll(tasks).reduce(0) { $0 + (try $1?.get() ?? 0) }
            precondition(sum == count * (count - 1) / 2)
        }
    }

    /// Bytes of memory that only this process holds.
    private static func privateMemory() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
        return text.split(separator: "\n").reduce(0) { total, line in
            let words = line.split(separator: " ")
            guard words.count == 3, words[0].hasPrefix("Private_"), words[0] != "Private_Hugetlb:" else { return total }
            return total + (Int(words[1]) ?? 0) * 1024
        }
    }
}
