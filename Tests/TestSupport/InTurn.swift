import Synchronization
public import Testing

/// Lets so many tests run at a time: each that runs a loop holds a thread or a child process, and hundreds at once take three
/// times as long as a few, and a minute each.
///
/// A test that hangs ends the whole run with its name. Time that a test waits for its turn does not count, as it would for
/// `timeLimit`.
public struct InTurn: TestTrait, SuiteTrait, TestScoping {
    public let isRecursive = true

    /// A suite and its test may both ask.
    @TaskLocal static var seat: Seat?
    /// See ``Sole``.
    @TaskLocal static var isInAnotherRow = false

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        if testCase == nil || Self.seat != nil { return try await function() }
        let seat = await Seat(isTaken: !Self.isInAnotherRow)
        let watchdog = Task.detached {
            try await Task.sleep(for: .seconds(60 * patience))
            fatalError("the test \(test.name) at \(test.sourceLocation) hangs")
        }
        let start = ContinuousClock.now
        let result: Result<Void, any Error>
        do { result = .success(try await Self.$seat.withValue(seat) { try await function() }) } catch {
            result = .failure(error)
        }
        watchdog.cancel()
        if printsTimes { print("\(ContinuousClock.now - start) of its turn: \(test.sourceLocation) \(test.name)") }
        await seat.leave()
        try result.get()
    }
}

extension Trait where Self == InTurn {
    /// The test waits until few enough others run.
    public static var inTurn: Self { Self() }
}

/// A test's seat among all.
final class Seat: Sendable {
    private let isTaken: Atomic<Bool>

    init(isTaken: Bool) async {
        self.isTaken = Atomic(isTaken)
        if isTaken { await Seats.shared.take() }
    }

    func leave() async {
        if isTaken.exchange(false, ordering: .acquiringAndReleasing) { await Seats.shared.leave() }
    }
}

/// So many may sit at a time.
actor Seats {
    static let shared = Seats(8)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func take() async {
        if free == 0 { return await withCheckedContinuation { waiting.append($0) } }
        free -= 1
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
