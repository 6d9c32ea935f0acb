import AsyncUV
import AsyncUVTLS
import CChaos
import Synchronization
import SystemPackage
import UV

/// A task that does one random thing after another.
struct AsyncWorker: Sendable {
    let round: AsyncRound
    let number: Int
    private let dice: Dice
    private let operations: Int

    init(_ round: AsyncRound, _ number: Int, _ dice: Dice, operations: Int) {
        self.round = round
        self.number = number
        self.dice = dice
        self.operations = operations
    }

    func run() async {
        var dice = dice
        let ticket = round.book.expect("worker \(number)")
        for operation in 0..<operations {
            var own = Dice(seed: dice.next(), step: operation)
            await step(&own)
            chaos_beat()
            if Task.isCancelled, dice.oneIn(3) { break }
        }
        ticket.end()
    }

    /// The kinds of operations.
    private static let names = [
        "TCP", "TCP", "local", "local", "plain peer", "files", "files", "time", "channel", "channel", "semaphore",
        "datagrams", "child", "signals", "threads", "changes", "descriptors", "descriptors", "accept", "accept", "HTTP",
        "HTTP", "HTTP", "WebSocket", "TLS", "TLS", "cut TLS", "stranger", "terminal", "green", "coroutines", "illegal",
    ]

    /// An operation, as it is, with a timeout, or in a task that is cancelled.
    private func step(_ dice: inout Dice) async {
        let kind = dice.number(0...Self.names.count - 1)
        let time = Duration.microseconds(dice.number(0...8_000))
        let loop = round.loops[dice.number(0...1)]
        let way = dice.number(0...5)
        let own = dice
        let what = "worker \(number): kind \(kind), way \(way)"
        remember(what)
        let ticket = round.book.expect(what)
        do {
            switch way {
            case 0: try await withTimeout(time, on: loop) { try await operation(kind, own, loop, isWhole: false) }
            case 1:
                let task = loop.spawn { try await operation(kind, own, loop, isWhole: false) }
                try? await loop.sleep(for: time)
                task.cancel()
                try await task.value
            case 2:
                let task = Task.detached { try await operation(kind, own, loop, isWhole: false) }
                try? await Task.sleep(for: time)
                task.cancel()
                try await task.value
            default: try await operation(kind, own, loop, isWhole: true)
            }
            ticket.end()
            Book.wentWell(Self.names[kind])
        } catch { ticket.end(error) }
    }

    /// - Parameter isWhole: Whether nobody but faults and the round's end interrupts it.
    private func operation(_ kind: Int, _ start: Dice, _ loop: EventLoop, isWhole: Bool) async throws {
        var dice = start
        switch kind {
        case 0, 1: try await echo(TCPConnection.connect(to: round.servers[dice.number(0...1)], on: loop), &dice)
        case 2, 3: try await echo(LocalConnection.connect(to: round.localServers[dice.number(0...1)], on: loop), &dice)
        case 4: try await plainPeer(&dice, loop)
        case 5, 6: try await files(&dice, loop)
        case 7: try await time(&dice, loop)
        case 8, 9: try await channel(&dice)
        case 10: try await semaphore(&dice, loop)
        case 11: try await datagrams(&dice, loop)
        case 12: try await child(&dice, loop)
        case 13: try await signals(&dice)
        case 14: try await threads(&dice, loop)
        case 15: try await changes(&dice, loop)
        case 16, 17: try await passing(&dice, loop)
        case 18, 19: try await acceptOne(&dice, loop)
        case 20, 21, 22: try await http(&dice)
        case 23: try await webSocket(&dice)
        case 24, 25: try await secureEcho(&dice, loop)
        case 26: try await cut(&dice, loop)
        case 27: try await stranger(&dice, loop)
        case 28: try await terminal(&dice, loop)
        case 29: try await green(&dice, loop)
        case 30: try await coroutines(&dice, loop)
        default: try await illegal(&dice, loop)
        }
    }

    // MARK: Streams

    func echo<Connection: StreamConnection>(_ connection: Connection, _ dice: inout Dice) async throws {
        let name = UInt8(dice.number(1...255))
        let what = "worker \(number), stream \(name)"
        let output = Flow(name)
        let input = Flow(name)
        var chunks: [[UInt8]] = []
        for _ in 0..<dice.number(1...4) {
            let bytes = output.nextBytes(dice.size())
            output.sent += UInt64(bytes.count)
            chunks.append(bytes)
        }
        input.sent = output.sent
        let sent = chunks
        let ending = dice.number(0...5)
        do {
            let writing = connection.loop.spawn {
                for (number, chunk) in sent.enumerated() {
                    switch number % 3 {
                    case 0: try await connection.write(chunk)
                    case 1: try await connection.write(contentsOf: [chunk, []])
                    default: try await connection.write(chunk.span)
                    }
                }
                try await connection.finishWriting()
            }
            defer { writing.cancel() }
            let stopsAt = ending < 2 ? UInt64(dice.number(0...20_000)) : .max
            reading: while input.received < stopsAt {
                switch dice.number(0...3) {
                case 0:
                    guard let bytes = try await connection.read(upTo: dice.number(1...100_000)) else { break reading }
                    input.arrived(bytes.span, what)
                    if dice.oneIn(8), bytes.count > 1 {
                        // Given back and read again.
                        try await connection.unread(bytes)
                        input.received -= UInt64(bytes.count)
                    }
                case 1:
                    var buffer: [UInt8] = []
                    if try await connection.read(into: &buffer) == 0 { break reading }
                    input.arrived(buffer.span, what)
                case 2:
                    let most = dice.number(1...1_000)
                    guard
                        let bytes = try await connection.withBytes({ bytes in
                            let used = min(bytes.count, most)
                            return (used: used, value: [UInt8](copying: bytes.extracting(first: used)))
                        })
                    else { break reading }
                    input.arrived(bytes.span, what)
                default:
                    guard let bytes = try await connection.read(upTo: 65_536, timeout: .seconds(20)) else {
                        break reading
                    }
                    input.arrived(bytes.span, what)
                }
            }
            if ending >= 2 {
                try await writing.value
                // A server whose write has failed ends in the middle.
                if !round.endsEarly, !round.hasFaults { input.ended(what) }
            }
        } catch {
            await connection.close()
            throw error
        }
        if ending == 3, let tcp = connection as? TCPConnection {
            await tcp.closeWithReset()
        } else if ending == 3, let secure = connection as? TLSConnection {
            await secure.abort()
        } else if ending != 4 {
            await connection.close()
        }
    }

    private func plainPeer(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let socket = chaos_connect(round.servers[dice.number(0...1)].port)
        guard socket >= 0 else { return }
        let flow = Flow(UInt8(dice.number(1...255)))
        var (place, name): (UInt64, CInt) = (0, CInt(flow.name))
        defer { if dice.oneIn(2) { chaos_reset(socket) } else { chaos_close(socket) } }
        for _ in 0..<dice.number(1...6) {
            flow.sent += UInt64(chaos_send(socket, flow.name, flow.sent, dice.size()))
            try await loop.sleep(for: .milliseconds(dice.number(0...3)))
            if unsafe chaos_take(socket, &name, &place) == -2 {
                fail("worker \(number): a plain peer gets a wrong byte")
            }
            if place > flow.sent { fail("worker \(number): a plain peer gets more than it has sent") }
        }
        if dice.oneIn(2) { chaos_half_close(socket) }
    }

    // MARK: Files

    private func files(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let path = round.folder.appending("file-\(round.names.add(1, ordering: .relaxed).newValue)")
        let what = "worker \(number), \(path.lastComponent?.string ?? "")"
        let flow = Flow(UInt8(dice.number(1...255)))
        let bytes = flow.nextBytes(dice.size())
        flow.sent = UInt64(bytes.count)
        try await FileSystem.writeFile(path, bytes, durably: false, on: loop)
        func compare(_ found: [UInt8], _ way: String) {
            if found != bytes { fail("\(what): \(way) gives \(found.count) of \(bytes.count) bytes, or wrong ones") }
        }
        switch dice.number(0...6) {
        case 0: compare(try await FileSystem.readFile(path, on: loop), "readFile")
        case 1:
            compare(
                try await File.withFile(path, on: loop) { file in
                    var all: [UInt8] = []
                    for try await chunk in file.chunks(ofCount: dice.number(1...10_000) + 1_000) { all += chunk }
                    return all
                }, "chunks")
        case 2:
            let file = try await File.open(path, on: loop)
            do {
                var reader = file.reader(bufferSize: dice.number(100...9_000))
                var all: [UInt8] = []
                while let part = try await reader.read(upTo: dice.number(1...50_000)) { all += part }
                compare(all, "reader")
                try await file.close()
            } catch {
                try? await file.close()
                throw error
            }
        case 3:
            let copy = FilePath(path.string + "-copy")
            _ = try await FileSystem.copy(path, to: copy, on: loop)
            compare(try await FileSystem.readFile(copy, on: loop), "copy")
        case 4:
            let tree = FilePath(path.string + "-tree")
            try await FileSystem.makeDirectory(tree.appending("a/b"), withIntermediates: true, on: loop)
            try await FileSystem.writeFile(tree.appending("a/b/c"), bytes, durably: false, on: loop)
            _ = try await FileSystem.copy(tree, to: FilePath(path.string + "-other"), on: loop)
            compare(try await FileSystem.readFile(FilePath(path.string + "-other/a/b/c"), on: loop), "copy of a tree")
            try await FileSystem.remove(tree, on: loop)
        case 5:
            try await File.withFile(path, .readWrite, on: loop) { file in
                try await file.write(Array(bytes.reversed()), at: 0)
                try await file.write(bytes, at: 0)
                compare(try await file.read(exactly: bytes.count, at: 0), "read(exactly:)")
                try await file.truncate(to: Int64(bytes.count / 2))
                if try await file.size() != Int64(bytes.count / 2) { fail("\(what): truncate") }
            }
        default:
            for try await entry in FileSystem.entries(of: round.folder, on: loop) { _ = entry.kind }
            for try await entry in FileSystem.walk(round.folder, on: loop, onError: { _, _ in }) { _ = entry.depth }
        }
    }

    private func changes(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let folder = round.folder.appending("watched-\(round.names.add(1, ordering: .relaxed).newValue)")
        try await FileSystem.makeDirectory(folder, on: loop)
        let changes = try await FileSystem.changes(at: folder, debounce: .milliseconds(dice.number(0...3)), on: loop)
        let file = folder.appending("file")
        try await FileSystem.writeFile(file, [1], durably: false, on: loop)
        // The file is written under another name, and renamed; without a pause that is told, too.
        while let change = try await changes.next() {
            if change.kind == .overflow || change.path == file { return }
            if !change.path.starts(with: folder) { fail("worker \(number): a change of \(change.path)") }
        }
    }

    // MARK: Time, channels, semaphores

    private func time(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let start = LoopClock.Instant.now
        let time = Duration.microseconds(dice.number(-100...6_000))
        switch dice.number(0...4) {
        case 0: try await loop.sleep(for: time, tolerance: dice.oneIn(2) ? .zero : nil)
        case 1: try await loop.clock.sleep(until: start.advanced(by: time))
        case 2: try await loop.schedule(after: time) {}.value
        case 3:
            var count = 0
            for try await _ in loop.ticks(every: .milliseconds(1)) {
                count += 1
                if count == 3 { break }
            }
            return
        default:
            let limit = Duration.microseconds(dice.number(0...3_000))
            do {
                try await withTimeout(limit, on: loop) { try await loop.sleep(for: .seconds(100)) }
                fail("worker \(number): a hundred seconds are over")
            } catch let error as UVError where error.code == .timedOut {
                if start.duration(to: .now) < limit { fail("worker \(number): a timeout is early") }
            }
            return
        }
        if start.duration(to: .now) < time { fail("worker \(number): a sleep is early") }
    }

    private func channel(_ dice: inout Dice) async throws {
        let timeout = dice.oneIn(4) ? nil : Duration.milliseconds(dice.number(0...5))
        if dice.oneIn(2) {
            let element = round.ledger.next()
            if dice.oneIn(4) {
                if try await round.channel.trySend(element) { round.ledger.sent(element) }
            } else {
                try await round.channel.send(element, timeout: timeout ?? .milliseconds(50))
                round.ledger.sent(element)
            }
        } else if let element = try await round.channel.next(timeout: timeout ?? .milliseconds(50)) {
            round.ledger.received(element)
        }
    }

    private func semaphore(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let time = Duration.microseconds(dice.number(0...2_000))
        try await round.semaphore.withPermit(timeout: dice.oneIn(2) ? .milliseconds(dice.number(0...3)) : .seconds(30))
        {
            if round.inside.add(1, ordering: .acquiringAndReleasing).newValue > AsyncRound.permits {
                fail("worker \(number): too many are inside the semaphore")
            }
            defer { round.inside.subtract(1, ordering: .acquiringAndReleasing) }
            try await loop.sleep(for: time)
        }
    }

    // MARK: The others

    private func datagrams(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let one = try await UDPSocket.bind(to: .loopback(port: 0), on: loop)
        do {
            let other = try await UDPSocket.connect(to: one.localAddress, on: round.loops[dice.number(0...1)])
            do {
                let flow = Flow(UInt8(dice.number(1...255)))
                for _ in 0..<dice.number(1...5) {
                    let bytes = flow.nextBytes(dice.number(1...20_000))
                    try await other.send(bytes)
                    let got = try await one.receive(timeout: .milliseconds(100))
                    if got.bytes != bytes { fail("worker \(number): a datagram of \(got.bytes.count) bytes is wrong") }
                }
            } catch {
                await other.close()
                throw error
            }
            if dice.oneIn(2) { await other.close() }
        } catch {
            await one.close()
            // A datagram may be lost.
            throw error
        }
        await one.close()
    }

    /// Messages with descriptors.
    private func passing(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let (near, far) = try await LocalChannel.pair(on: loop)
        let flow = Flow(UInt8(dice.number(1...255)))
        for _ in 0..<dice.number(1...4) {
            var (one, other): (CInt, CInt) = (-1, -1)
            guard unsafe chaos_pair(&one, &other) == 0 else { return }
            defer {
                chaos_close(one)
                chaos_close(other)
            }
            let bytes = flow.nextBytes(dice.number(1...20_000))
            let sent = [FileDescriptor](repeating: .init(rawValue: one), count: dice.number(0...20))
            try await near.send(bytes, descriptors: sent, timeout: .seconds(20))
            guard let message = try await far.receive(timeout: .seconds(20)) else {
                fail("worker \(number): no message")
            }
            if message.bytes != bytes || message.descriptors.count != sent.count {
                fail(
                    "worker \(number): a message of \(message.bytes.count) bytes and \(message.descriptors.count) descriptors"
                )
            }
            if let taken = message.descriptors.first?.take() { chaos_close(taken.rawValue) }
        }
        if dice.oneIn(2) { await near.close() }
    }

    /// A listener for one connection, which is looked for by name.
    private func acceptOne(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let listener = try await TCPListener.bind(host: "localhost", port: 0, on: loop)
        let port = listener.localAddress.port
        let flow = Flow(UInt8(dice.number(1...255)))
        let bytes = flow.nextBytes(dice.number(1...50_000))
        let timeout = dice.oneIn(3) ? Duration.milliseconds(dice.number(0...3)) : .seconds(20)
        async let accepted = listener.accept(timeout: timeout)
        do {
            let client = try await TCPConnection.connect(host: "localhost", port: port, timeout: .seconds(20), on: loop)
            let other = try await accepted
            let writing = loop.spawn {
                try await client.write(bytes)
                await client.close()
            }
            let found = try await other?.readToEnd()
            _ = await writing.result
            if !round.endsEarly, !round.hasFaults, !Task.isCancelled, found != nil, found != bytes {
                fail("worker \(number): \(found?.count ?? 0) of \(bytes.count) bytes")
            }
            await other?.close()
        } catch {
            await listener.close()
            throw error
        }
        await listener.close()
    }

    private func child(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let flow = Flow(UInt8(dice.number(1...255)))
        let bytes = flow.nextBytes(dice.number(0...100_000))
        switch dice.number(0...3) {
        case 0:
            let finished = try await ChildProcess.run("cat", input: bytes, on: loop)
            if finished.status == .exited(0), finished.output != bytes {
                fail("worker \(number): cat gives \(finished.output.count) of \(bytes.count) bytes")
            }
        case 1: _ = try await ChildProcess.run("sleep", ["5"], timeout: .milliseconds(dice.number(0...20)), on: loop)
        case 2:
            let child = try await ChildProcess.spawn("sleep", ["5"], output: .null, error: .null, on: loop)
            try await child.kill(.kill)
            _ = try await child.wait(timeout: .seconds(20))
        default: _ = try await ChildProcess.run("/no/such/program", on: loop)
        }
    }

    private func signals(_ dice: inout Dice) async throws {
        // On the loop that is never shut down early, beside the watch that keeps signals from being deadly.
        let signal: Signal = dice.oneIn(2) ? .user1 : .user2
        let signals = try await Signals.watch(signal, on: round.loops[0])
        chaos_signal(signal.rawValue)
        if try await signals.next() != signal { fail("worker \(number): another signal") }
    }

    private func threads(_ dice: inout Dice, _ loop: EventLoop) async throws {
        let value = dice.number(0...1_000)
        switch dice.number(0...3) {
        case 0: if try await loop.offload({ value * 2 }) != value * 2 { fail("worker \(number): offload") }
        case 1:
            if try await loop.withLoop({ $0.isAlive ? value : value }) != value { fail("worker \(number): withLoop") }
        case 2:
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for child in 0..<20 {
                    group.addTask {
                        try await loop.sleep(for: .microseconds(child * 50))
                        return child
                    }
                }
                return try await group.reduce(0, +)
            }
            if sum != 190 { fail("worker \(number): a group gives \(sum)") }
        default:
            var (one, other): (CInt, CInt) = (-1, -1)
            guard unsafe chaos_pair(&one, &other) == 0 else { return }
            defer {
                chaos_close(one)
                chaos_close(other)
            }
            try await loop.waitUntilWritable(FileDescriptor(rawValue: one), timeout: .seconds(20))
            _ = chaos_send(other, 1, 0, 10)
            try await loop.waitUntilReadable(FileDescriptor(rawValue: one), timeout: .seconds(20))
        }
    }

    /// What is refused.
    private func illegal(_ dice: inout Dice, _ loop: EventLoop) async throws {
        switch dice.number(0...4) {
        case 0:
            let connection = try await TCPConnection.connect(to: round.servers[0], on: loop)
            await connection.close()
            do {
                try await connection.write([1])
                fail("worker \(number): a closed connection is written to")
            } catch { inspect(error, "write after close") }
            do {
                if try await connection.read() != nil { fail("worker \(number): a closed connection is read") }
            } catch { inspect(error, "read after close") }
        case 1: _ = try await TCPListener.bind(to: round.servers[0], on: loop)
        case 2:
            _ = try await TCPConnection.connect(
                host: "no.such.name.invalid", port: 1, timeout: .milliseconds(50), on: loop)
        case 3: _ = try await TCPConnection.connect(to: .loopback(port: 1), on: loop)
        default: _ = try await loop.explainAlive().description
        }
    }
}
