import Foundation
import TestSupport
import Testing
import UV

/// Random sequences of legal and illegal operations on connections, timers, listeners and wake-ups.
///
/// A run is repeated with `SWIFT_UV_TEST_SEED=<number> swift test --filter StormTests`.
@Suite(.ownThread) struct StormTests {
    static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["SWIFT_UV_TEST_SEED"].flatMap(UInt64.init).map { [$0] }
        ?? (0..<20).map { _ in .random(in: 0..<1_000_000_000) }

    @Test("Any sequence: no call after close, each operation ends once, the loop runs dry and closes", arguments: seeds)
    func sequence(_ seed: UInt64) throws {
        let storm = Storm(seed: seed)
        try withLoop { loop in try storm.begin(on: loop) }
        #expect(storm.steps > 400, "seed \(seed)")
        for operation in storm.operations {
            #expect(operation.calls == operation.expected, "\(operation.name), seed \(seed)")
        }
        for issue in storm.issues { Issue.record("\(issue), seed \(seed)") }
        storm.forget()
    }
}

/// One call of an operation, which ends so many times.
final class Operation {
    let name: String
    var expected = 1
    var calls = 0
    init(_ name: String) { self.name = name }
}

/// Makes the random choices and keeps the books.
final class Storm {
    private var random: SeededGenerator
    private(set) var steps = 0
    private(set) var operations: [Operation] = []
    private(set) var issues: [String] = []
    private var actors: [any StormActor] = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    func begin(on loop: Loop) throws {
        let driver = try IdleHandle(on: loop)
        try driver.start { [self] driver in
            for _ in 0...choose(4) { step(on: loop) }
            guard steps > 400 else { return }
            driver.close()
            for actor in actors { actor.end(self) }
        }
    }

    func choose(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    /// One choice in so many.
    func luck(_ count: Int) -> Bool { choose(count) == 0 }

    func step(on loop: Loop) {
        steps += 1
        actors.removeAll { $0.isOver }
        if actors.count < 8 { make(on: loop) }
        actors[choose(actors.count)].act(self)
    }

    /// Some closures do the next step themselves, to themselves perhaps.
    func stepInside(_ loop: Loop) { if steps < 400, luck(3) { step(on: loop) } }

    private func make(on loop: Loop) {
        do {
            switch choose(4) {
            case 0: add(try StormTimer(self, on: loop))
            case 1: add(try StormWakeup(self, on: loop))
            case 2: add(try StormListener(self, on: loop))
            default:
                let (near, far) = try luck(2) ? TCPHandle.pair(on: loop) : TCPHandle.tcpPair(on: loop)
                let ends = (StormEnd(self, near), StormEnd(self, far))
                ends.0.peer = ends.1
                ends.1.peer = ends.0
                add(ends.0)
                add(ends.1)
            }
        } catch { note("cannot make: \(error)") }
    }

    func add(_ actor: any StormActor) { actors.append(actor) }

    func note(_ issue: String) { issues.append(issue) }

    func expect(_ condition: Bool, _ issue: @autoclosure () -> String) { if !condition { note(issue()) } }

    /// Ends cycles between ends and their peers.
    func forget() { actors = [] }

    /// Closes a handle, a second time perhaps.
    func close(_ handle: Handle, _ how: (((Handle) -> Void)?) -> Void) {
        if handle.isClosing { return how(nil) }
        let operation = begin("close")
        how { _ in operation.calls += 1 }
    }

    func begin(_ name: String) -> Operation {
        let operation = Operation(name)
        operations.append(operation)
        return operation
    }

    /// Does something that may be refused: with bad file descriptor, if and only if the handle is closed.
    func attempt(_ handle: Handle, _ name: String, _ operation: Operation? = nil, _ body: () throws(UVError) -> Void) {
        do throws(UVError) {
            try body()
            expect(!handle.isClosing, "\(name) of a closed handle passed")
        } catch {
            operation?.expected = 0
            expect((error.code == .badFileDescriptor) == handle.isClosing, "\(name) failed with \(error)")
        }
    }
}

/// Something that does a random thing when it is asked to.
protocol StormActor: AnyObject {
    /// Closed, and enough tried after that.
    var isOver: Bool { get }
    func act(_ storm: Storm)
    /// Closes it for good.
    func end(_ storm: Storm)
}
