import CChaos
import SystemPackage
import Synchronization
import UV

/// Something on a loop that random things are done to.
class Thing {
    unowned let round: CallbackRound
    let name: String
    /// From now on only what was promised may be called.
    final var isClosed = false

    init(_ round: CallbackRound, _ kind: String) {
        self.round = round
        name = "\(kind) \(round.nextNumber())"
    }

    /// Does something random, legal or not.
    func act(_ dice: inout Dice) {}

    /// Closes everything.
    func close() {}

    /// Each callback says that it was called.
    final func called(_ what: String) {
        if isClosed { fail("\(name): \(what) was called after close") }
    }

    final func note(_ text: String) { remember("\(name): \(text)") }

    /// Runs what may be refused.
    final func attempt(_ what: String, _ body: () throws(UVError) -> Void) {
        note(what)
        do throws(UVError) { try body() } catch {
            inspect(error, "\(name): \(what)")
            note("\(what) was refused: \(error)")
        }
    }

    /// Closes a handle, and makes sure that this ends.
    final func end(_ handle: Handle) {
        let isFirst = !handle.isClosing
        let ticket = isFirst ? round.book.expect("\(name): close") : nil
        handle.close { _ in ticket?.end() }
    }
}

/// A loop, things on it, and a number of steps.
final class CallbackRound {
    let loop: Loop
    let book = Book()
    let folder: FilePath
    private let seed: UInt64
    private var things: [Thing?] = Array(repeating: nil, count: 24)
    /// Those that have been replaced: what they have begun still ends.
    private var gone: [Thing] = []
    private var number = 0
    private var streamNames: UInt8 = 0
    /// All streams, by name.
    private(set) var flows: [UInt8: Flow] = [:]
    /// All handles: none may be left at the end.
    private var handles: [Weak] = []
    /// Keeps signals from ending the process.
    private(set) var keepers: [SignalHandle] = []
    private var isEnding = false

    private struct Weak { weak var handle: Handle? }

    static func run(seed: UInt64, steps: Int, faults: Int, _ tally: inout Tally) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let watched: [Weak]
        do {
            let round = try CallbackRound(seed, folder)
            chaos_faults(CInt(faults), seed)
            try round.go(steps)
            chaos_faults(0, 0)
            watched = round.handles
            tally.steps += steps
            tally.ended += round.book.ended.load(ordering: .relaxed)
        }
        let left = watched.compactMap(\.handle)
        if !left.isEmpty { fail("\(left.count) handles are never freed: \(left.prefix(5))") }
    }

    private init(_ seed: UInt64, _ folder: FilePath) throws {
        self.seed = seed
        self.folder = folder
        loop = try Loop()
    }

    func nextNumber() -> Int {
        number += 1
        return number
    }

    static let noNames = UVError(.resourceTemporarilyUnavailable, in: "chaos", of: "names of streams")

    /// A stream with a name of its own, if there is one left.
    func makeFlow() -> Flow? {
        guard streamNames < 255 else { return nil }
        streamNames += 1
        let flow = Flow(streamNames)
        flows[streamNames] = flow
        return flow
    }

    /// Remembers a handle.
    @discardableResult
    func watch<Kind: Handle>(_ handle: Kind) -> Kind {
        handles.append(Weak(handle: handle))
        return handle
    }

    private func go(_ steps: Int) throws {
        for signal in [Signal.user1, .user2, .windowChange] {
            let keeper = watch(try SignalHandle(on: loop))
            keepers.append(keeper)
            try keeper.start(signal) { _, _ in }
            keeper.keepsLoopAlive = false
        }
        for step in 0..<steps {
            chaos_beat()
            var dice = Dice(seed: seed, step: step)
            take(&dice)
            if dice.oneIn(2) { try turn(&dice) }
        }
        remember("the end of the steps")
        var dice = Dice(seed: seed, step: steps)
        try end(&dice)
    }

    private func turn(_ dice: inout Dice) throws {
        if dice.oneIn(20) { try loop.stop() }
        try loop.run(.noWait)
    }

    private func take(_ dice: inout Dice) {
        let slot = dice.number(0...things.count - 1)
        if things[slot] == nil || dice.oneIn(6) {
            bury(slot)
            things[slot] = make(&dice)
        } else if dice.oneIn(40) {
            askTheLoop(&dice)
        } else {
            things[slot]?.act(&dice)
        }
    }

    private func bury(_ slot: Int) {
        guard let thing = things[slot] else { return }
        thing.close()
        gone.append(thing)
        things[slot] = nil
    }

    private func askTheLoop(_ dice: inout Dice) {
        switch dice.number(0...5) {
        case 0:
            remember("all handles are closed")
            // The keepers as well: no signal may come before there are new ones.
            for thing in things { thing?.isClosed = true }
            for keeper in keepers { keeper.keepsLoopAlive = true }
            do { try loop.closeAllHandles() } catch { fail("closeAllHandles: \(error)") }
            for slot in things.indices { bury(slot) }
            keepers = []
        case 1: _ = loop.explainAlive().description
        case 2: _ = loop.handleList()
        case 3: _ = loop.handles.map(\.description)
        case 4 where !keepers.isEmpty:
            do throws(UVError) {
                try loop.close()
                if !loop.handles.isEmpty { fail("a loop with handles has closed") }
            } catch { inspect(error, "close of the loop") }
        default: _ = (loop.metrics, loop.traffic, loop.isAlive, loop.idleTime)
        }
    }

    private func make(_ dice: inout Dice) -> Thing? {
        do throws(UVError) {
            switch dice.number(0...18) {
            case 0: return try TimerThing(self, &dice)
            case 1: return try TurnThing(self, &dice)
            case 2: return try WakeupThing(self)
            case 3, 4: return try PairThing(self, tcp: &dice)
            case 5, 6: return try PairThing(self, local: &dice)
            case 7, 8: return try TCPListenerThing(self)
            case 9, 10: return try LocalListenerThing(self, &dice)
            case 11: return try DatagramThing(self)
            case 12: return try ChildThing(self, &dice)
            case 13: return try SignalThing(self)
            case 14: return try PollThing(self)
            case 15, 16: return FileThing(self)
            case 17: return try TerminalThing(self)
            default: return try WatchThing(self, &dice)
            }
        } catch {
            inspect(error, "making a thing")
            remember("nothing was made: \(error)")
            return nil
        }
    }

    /// Ends gently or not; the loop must run dry.
    private func end(_ dice: inout Dice) throws {
        if dice.oneIn(2) {
            for _ in 0..<5 { try loop.run(.noWait) }
        }
        for thing in things { thing?.close() }
        if dice.oneIn(3) { try loop.closeAllHandles() } else { for keeper in keepers { keeper.close() } }
        remember("everything is closed")
        // The first run may only take a stop.
        while try loop.run() { remember("once more") }
        book.checkAllEnded()
        if loop.isAlive { fail("the loop is alive although it has run dry") }
        do { try loop.close() } catch { fail("the loop cannot be closed: \(error)") }
        things = []
        gone = []
        keepers = []
        flows = [:]
    }
}

/// A folder in memory or on a disk, without faults.
func temporaryFolder() throws -> FilePath {
    var name = Array("/tmp/chaos-XXXXXX".utf8CString)
    guard unsafe chaos_make_folder(&name) == 0 else { fail("no folder") }
    return FilePath(String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
}

func removeFolder(_ folder: FilePath) { unsafe chaos_remove_folder(folder.string) }
