import Glibc
import Readiness
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// One script of events, played to every back end: all tell the same, in the same order.
///
/// Select cannot tell `hungUp` and `failed`, so its lines are the others' without these two words.
@Suite(.inTurn) struct ScriptTests {
    @Test(arguments: Player.allCases) func allTellTheSame(_ player: Player) async {
        await #expect(processExitsWith: .success) { [player] in
            let told = try await onThread { try player.play() }
            #expect(told == (player.isSelect ? Script.expected.map(Script.withoutHangUps) : Script.expected))
        }
    }
}

/// Who plays the script: each poller, and each under a ``Selector``.
enum Player: String, CaseIterable, Codable, CustomTestStringConvertible {
    case select, poll, epollLevel, epollEdge, selectorOnSelect, selectorOnPoll, selectorOnEpoll, selectorOnEdges

    func play() throws -> [String] {
        switch self {
        case .select: try Script.play { try SelectPoller() }
        case .poll: try Script.play { try PollPoller() }
        case .epollLevel: try Script.play { try EpollPoller() }
        case .epollEdge: try Script.play { try EpollPoller(trigger: .edge) }
        case .selectorOnSelect: try Script.play { try Selecting<SelectPoller>() }
        case .selectorOnPoll: try Script.play { try Selecting<PollPoller>() }
        case .selectorOnEpoll: try Script.play { try Selecting<EpollPoller>() }
        case .selectorOnEdges: try Script.play { Selecting(backend: try EpollPoller(trigger: .edge)) }
        }
    }

    var isSelect: Bool { self == .select || self == .selectorOnSelect }
    var testDescription: String { rawValue }
}

/// A selector in the clothes of a poller.
private struct Selecting<Backend: Poller & ~Copyable>: Poller, ~Copyable {
    private var selector: Selector<Void, Backend>

    init() throws(SystemError) { selector = try Selector() }
    init(backend: consuming Backend) { selector = Selector(backend: backend) }

    var waker: Waker { selector.waker }

    mutating func add(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try selector.register(descriptor, interest, data: ())
    }
    mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try selector.modify(descriptor, interest)
    }
    mutating func remove(_ descriptor: CInt) throws(SystemError) { try selector.unregister(descriptor) }
    mutating func wait(upTo timeout: Duration?, into events: inout [ReadyEvent]) throws(SystemError) {
        events = try selector.select(timeout: timeout).map {
            ReadyEvent(descriptor: $0.key.descriptor, readiness: $0.readiness)
        }
    }
}

private enum Script {
    /// What is told, scene by scene; "silence" stands for no event at all.
    static let expected = [
        "bytes come, watched for []: silence",
        "then for readable: readable",
        "then for writable: writable",
        "the peer finishes, watched for []: silence",
        "then for readable: readable",
        "then for readable writable: readable writable",
        "then for priority: silence",
        "the peer resets, watched for []: hungUp failed",
        "then for readable: readable hungUp failed",
        "then for writable: writable hungUp failed",
        "then for readable writable: readable writable hungUp failed",
        "then for priority: hungUp failed",
        "the peer resets, watched once for readable: readable hungUp failed",
        "and again: silence",
        "both directions end, watched for []: hungUp",
        "then for readable: readable hungUp",
        "then for readable writable: readable writable hungUp",
        "an urgent byte comes, watched for []: silence",
        "then for readable: silence",
        "then for priority: priority",
        "then for readable writable priority: writable priority",
        "the pipe's reader leaves, its writer watched for []: failed",
        "then for readable: readable failed",
        "then for writable: writable failed",
        "the pipe's writer leaves, its reader watched for []: hungUp",
        "then for readable: readable hungUp",
        "then for writable: hungUp",
        "the number is somebody else's, not added: silence",
        "added for []: silence",
        "then for readable writable: writable",
        "and its bytes come: readable writable",
        "a timeout of -1 seconds: silence",
        "a timeout of 0: silence",
        "a timeout of 2^40 milliseconds, woken: silence",
        "no timeout, and a signal: silence",
        "after the signal: readable",
    ]

    /// What is left of a line when select tells it.
    static func withoutHangUps(_ line: String) -> String {
        let parts = line.split(separator: ": ")
        let words = parts[1].split(separator: " ").filter { $0 != "hungUp" && $0 != "failed" }
        return "\(parts[0]): \(words.isEmpty ? "silence" : words.joined(separator: " "))"
    }

    static func play<Played: Poller & ~Copyable>(_ make: () throws -> Played) throws -> [String] {
        var stage = Stage(poller: try make())
        try stage.bytes()
        try stage.halfClose()
        try stage.resets()
        try stage.bothDirections()
        try stage.urgentByte()
        try stage.brokenPipe()
        try stage.endedPipe()
        try stage.usedAgain()
        try stage.timeouts()
        try stage.signal()
        return stage.told
    }
}

private struct Stage<Played: Poller & ~Copyable>: ~Copyable {
    var poller: Played
    var told: [String] = []

    init(poller: consuming Played) { self.poller = poller }

    mutating func bytes() throws {
        let (near, far) = try Socket.pair(blocking: false)
        try poller.add(near.descriptor, [])
        try far.send("x")
        try look("bytes come, watched for []")
        try look(at: near, for: .readable, .writable)
        try poller.remove(near.descriptor)
    }

    mutating func halfClose() throws {
        let (near, far) = try tcpPair()
        try poller.add(near.descriptor, [])
        try far.shutdown(.sending)
        try arrival(.readable, at: near)
        try look("the peer finishes, watched for []")
        try look(at: near, for: .readable, [.readable, .writable], .priority)
        try poller.remove(near.descriptor)
    }

    mutating func resets() throws {
        let near = try resetSocket()
        try poller.add(near.descriptor, [])
        try look("the peer resets, watched for []")
        try look(at: near, for: .readable, .writable, [.readable, .writable], .priority)
        try poller.modify(near.descriptor, [.readable, .once])
        try look("the peer resets, watched once for readable")
        try look("and again")
        try poller.remove(near.descriptor)
    }

    mutating func bothDirections() throws {
        let (near, _) = try Socket.pair(blocking: false)
        try poller.add(near.descriptor, [])
        try look("both directions end, watched for []")
        try look(at: near, for: .readable, [.readable, .writable])
        try poller.remove(near.descriptor)
    }

    mutating func urgentByte() throws {
        let (near, far) = try tcpPair()
        try poller.add(near.descriptor, [])
        #expect(try far.send([33], urgent: true) == .bytes(1))
        try arrival(.priority, at: near)
        try look("an urgent byte comes, watched for []")
        try look(at: near, for: .readable, .priority, [.readable, .writable, .priority])
        try poller.remove(near.descriptor)
    }

    mutating func brokenPipe() throws {
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.writeEnd.close() }
        let writer = pipe.writeEnd.rawValue
        try poller.add(writer, [])
        try pipe.readEnd.close()
        try look("the pipe's reader leaves, its writer watched for []")
        try look(at: writer, for: .readable, .writable)
        try poller.remove(writer)
    }

    mutating func endedPipe() throws {
        let pipe = try FileDescriptor.pipe()
        defer { try? pipe.readEnd.close() }
        let reader = pipe.readEnd.rawValue
        try poller.add(reader, [])
        try pipe.writeEnd.close()
        try look("the pipe's writer leaves, its reader watched for []")
        try look(at: reader, for: .readable, .writable)
        try poller.remove(reader)
    }

    /// A number that was watched, taken out and closed belongs to another socket: nothing of the first is told.
    mutating func usedAgain() throws {
        let (near, far) = try Socket.pair(blocking: false)
        let number = fcntl(near.descriptor, F_DUPFD, 500)
        try poller.add(number, [.readable, .writable, .priority])
        try poller.remove(number)
        #expect(close(number) == 0)
        try far.send("for the first")
        let (other, peer) = try Socket.pair(blocking: false)
        #expect(fcntl(other.descriptor, F_DUPFD, number) == number)
        try look("the number is somebody else's, not added")
        try poller.add(number, [])
        try look("added for []")
        try look(at: number, for: [.readable, .writable])
        try peer.send("for the second")
        try look("and its bytes come")
        try poller.remove(number)
        #expect(close(number) == 0)
    }

    mutating func timeouts() throws {
        try look("a timeout of -1 seconds", upTo: .seconds(-1))
        try look("a timeout of 0", upTo: .zero)
        // Woken beforehand: an ended wait of 34 years is all that can be seen of one that was not too short.
        poller.waker.wake()
        try look("a timeout of 2^40 milliseconds, woken", upTo: .milliseconds(Int64(1) << 40))
    }

    mutating func signal() throws {
        let (near, far) = try Socket.pair(blocking: false)
        try poller.add(near.descriptor, .readable)
        try interrupted { stage throws in try stage.look("no timeout, and a signal", upTo: nil) }
        try far.send("x")
        try look("after the signal", upTo: nil)
        try poller.remove(near.descriptor)
    }

    /// Runs `body` while another thread sends this one signals until `body` is done.
    private mutating func interrupted(_ body: (inout Self) throws -> Void) throws {
        _ = Glibc.signal(SIGUSR1) { _ in }
        // Threads that libdispatch starts, and theirs, have all signals blocked.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGUSR1)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        let (thread, isDone, hasStopped) = (pthread_self(), Flag(), Flag())
        try WorkerThread.start {
            while !isDone.isSet {
                pthread_kill(thread, SIGUSR1)
                sched_yield()
            }
            hasStopped.set()
        }
        try body(&self)
        isDone.set()
        while !hasStopped.isSet { sched_yield() }
    }

    // MARK: Telling

    private mutating func look(at socket: Socket, for interests: Interest...) throws {
        for interest in interests { try look(at: socket.descriptor, for: interest) }
    }

    private mutating func look(at descriptor: CInt, for interests: Interest...) throws {
        for interest in interests {
            try poller.modify(descriptor, interest)
            try look("then for \(words(interest.rawValue))")
        }
    }

    private mutating func look(_ scene: String, upTo timeout: Duration? = .zero) throws {
        let events = try poller.wait(upTo: timeout)
        #expect(events.count <= 1, "only one is watched")
        told.append("\(scene): \(events.first.map { words($0.readiness.rawValue) } ?? "silence")")
    }

    /// Waits until the kernel has delivered what was sent: TCP takes its time, on loopback as well.
    private func arrival(_ interest: Interest, at socket: Socket) throws {
        var poller = try PollPoller()
        try poller.add(socket.descriptor, interest)
        while try poller.wait().isEmpty {}
    }
}

/// The names of the bits of interest and readiness, which share their numbers as far as both have them.
private func words(_ bits: UInt8) -> String {
    [(1, "readable"), (2, "writable"), (4, "priority"), (16, "hungUp"), (32, "failed"), (64, "invalid")]
        .filter { bits & $0.0 != 0 }.map(\.1).joined(separator: " ")
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}
