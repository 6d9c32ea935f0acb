import AsyncUV
import CChaos
import Synchronization
import SystemPackage
import UV

/// Two loops, a crowd of tasks on them and beside them, and servers. Tasks are cancelled at random, and a loop may end below them.
final class AsyncRound: Sendable {
    let loops: [EventLoop]
    let folder: FilePath
    let book = Book()
    let servers: [SocketAddress]
    let localServers: [LocalAddress]
    let channel: Channel<Int>
    let ledger = Ledger()
    let semaphore: AsyncSemaphore
    static let permits = 3
    let inside = Atomic(0)
    let names = Atomic(0)
    let protocols: Protocols
    let green: GreenThings
    /// Whether a loop is ended while tasks are at work: what they do may fail in any way then, but it has to end.
    let endsEarly: Bool
    let hasFaults: Bool

    static func run(seed: UInt64, steps: Int, faults: Int, _ tally: inout Tally) throws {
        let folder = try temporaryFolder()
        defer { removeFolder(folder) }
        let done = Promised()
        Task.detached {
            do {
                let count = try await go(seed, steps, faults, folder)
                done.finish(count)
            } catch { fail("the round fails: \(error)") }
        }
        tally.ended += done.wait()
        tally.steps += steps
    }

    private static func go(_ seed: UInt64, _ steps: Int, _ faults: Int, _ folder: FilePath) async throws -> Int {
        var dice = Dice(seed: seed)
        let loops = [try EventLoop(label: "one"), try EventLoop(label: "two")]
        let listeners = [
            try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loops[0]),
            try await TCPListener.bind(host: "127.0.0.1", port: 0, on: loops[1]),
        ]
        let locals = [
            try await LocalListener.bind(path: folder.appending("one"), on: loops[0]),
            try await LocalListener.bind(path: folder.appending("two"), on: loops[1]),
        ]
        let protocols = try await Protocols(loops)
        let keeper = try await Signals.watch(.user1, .user2, on: loops[0])
        let round = AsyncRound(
            loops, folder, listeners, locals, protocols, endsEarly: dice.oneIn(3), hasFaults: faults > 0,
            capacity: dice.number(0...3))
        // Without faults until here, so that there is something to play with.
        chaos_faults(CInt(faults), seed)
        let serving = round.serve(listeners, locals) + protocols.serve()
        let workers = (0..<24).map { number in
            let dice = Dice(seed: seed, step: number + 1)
            let worker = AsyncWorker(round, number, dice, operations: steps / 24)
            switch number % 3 {
            case 0: return loops[0].spawn { await worker.run() }
            case 1: return loops[1].spawn { await worker.run() }
            default: return Task.detached { await worker.run() } as Task<Void, any Error>
            }
        }
        // From outside: cancels some, and perhaps ends a loop.
        for _ in 0..<dice.number(0...8) {
            try await Task.sleep(for: .milliseconds(dice.number(0...10)))
            workers[dice.number(0...23)].cancel()
        }
        if round.endsEarly {
            try await Task.sleep(for: .milliseconds(dice.number(0...100)))
            remember("loop one is shut down")
            await loops[1].shutdown(grace: .milliseconds(dice.number(0...20)))
        }
        for (number, worker) in workers.enumerated() {
            remember("waiting for worker \(number)")
            _ = await worker.result
            chaos_beat()
        }
        chaos_faults(0, 0)
        remember("all workers have ended")
        if !round.endsEarly { try await round.checkSharedThings() }
        try await round.green.check()
        for listener in listeners { await listener.close() }
        for listener in locals { await listener.close() }
        await protocols.close()
        remember("all listeners are closed")
        for task in serving { _ = await task.result }
        remember("all servers have ended")
        _ = keeper
        for loop in loops { await loop.shutdown() }
        round.book.checkAllEnded()
        return round.book.ended.load(ordering: .relaxed)
    }

    private init(
        _ loops: [EventLoop], _ folder: FilePath, _ listeners: [TCPListener], _ locals: [LocalListener],
        _ protocols: Protocols, endsEarly: Bool, hasFaults: Bool, capacity: Int
    ) {
        self.protocols = protocols
        green = GreenThings(capacity: capacity)
        self.hasFaults = hasFaults
        self.loops = loops
        self.folder = folder
        self.endsEarly = endsEarly
        servers = listeners.map(\.localAddress)
        localServers = locals.map(\.localAddress)
        channel = Channel(capacity: capacity, on: loops[0])
        semaphore = AsyncSemaphore(permits: Self.permits, on: loops[0])
    }

    /// Servers that give back what they get.
    private func serve(_ listeners: [TCPListener], _ locals: [LocalListener]) -> [Task<Void, any Error>] {
        let onError: @Sendable (any Error) -> Void = { inspect($0, "a handler") }
        return listeners.map { listener in
            listener.loop.spawn {
                try await listener.serve(maxConnections: 16, onError: { error, _ in onError(error) }) {
                    try await echo($0)
                }
            }
        }
            + locals.map { listener in
                listener.loop.spawn {
                    try await listener.serve(onError: { error, _ in onError(error) }) { try await echo($0) }
                }
            }
    }

    /// What all have used together is whole.
    private func checkSharedThings() async throws {
        channel.finish()
        while let element = try await channel.next() { ledger.received(element) }
        ledger.check()
        if inside.load(ordering: .acquiring) != 0 { fail("somebody is still inside the semaphore") }
        for _ in 0..<Self.permits where try await !semaphore.tryAcquire() { fail("a permit is lost") }
        if try await semaphore.tryAcquire() { fail("there is a permit too many") }
    }
}

func echo<Connection: ByteStream>(_ connection: Connection) async throws {
    while let bytes = try await connection.read() { try await connection.write(bytes) }
}

/// What went into a channel and what came out.
final class Ledger: Sendable {
    private let state = Mutex<(sent: Set<Int>, received: Set<Int>)>(([], []))
    private let numbers = Atomic(0)

    func next() -> Int { numbers.add(1, ordering: .relaxed).newValue }

    func sent(_ element: Int) { state.withLock { _ = $0.sent.insert(element) } }

    func received(_ element: Int) {
        if state.withLock({ $0.received.insert(element).inserted }) == false { fail("element \(element) came twice") }
    }

    func check() {
        state.withLock { state in
            let lost = state.sent.subtracting(state.received), extra = state.received.subtracting(state.sent)
            if !lost.isEmpty { fail("elements are lost in the channel: \(lost.sorted())") }
            if !extra.isEmpty { fail("elements came whose sends have failed: \(extra.sorted())") }
        }
    }
}

/// A number that a thread waits for.
final class Promised: Sendable {
    private let value = Mutex<Int?>(nil)

    func finish(_ number: Int) { value.withLock { $0 = number } }

    func wait() -> Int {
        while true {
            if let number = value.withLock({ $0 }) { return number }
            chaos_pause(2)
        }
    }
}
