import CChaos
import SystemPackage
import UV

/// Two sockets that send datagrams to each other. Each datagram can be checked by itself.
final class DatagramThing: Thing {
    private let sockets: [UDPHandle]
    private let addresses: [SocketAddress]
    private var isGone = [false, false]

    init(_ round: CallbackRound) throws(UVError) {
        let one = round.watch(try UDPHandle(on: round.loop))
        do throws(UVError) {
            let other = round.watch(try UDPHandle(on: round.loop, family: .ipv4))
            do throws(UVError) {
                try one.bind(to: .loopback(port: 0))
                try other.bind(to: .loopback(port: 0))
                addresses = [try one.localAddress, try other.localAddress]
                sockets = [one, other]
            } catch {
                other.close()
                throw error
            }
        } catch {
            one.close()
            throw error
        }
        super.init(round, "datagrams")
    }

    private func datagram(_ dice: inout Dice) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: dice.number(1...dice.number(1...40_000)))
        let name = UInt8(dice.number(1...255))
        unsafe bytes.withUnsafeMutableBufferPointer { unsafe chaos_fill($0.baseAddress, $0.count, name, 0) }
        return bytes
    }

    private func check(_ bytes: Span<UInt8>, isTruncated: Bool) {
        if bytes.count == 0 { fail("\(name): an empty datagram that nobody sent") }
        let wrong = unsafe bytes.withUnsafeBufferPointer { unsafe chaos_check($0.baseAddress, $0.count, $0[0], 0) }
        if wrong >= 0 { fail("\(name): byte \(wrong) of a datagram is wrong") }
    }

    override func act(_ dice: inout Dice) {
        let index = dice.number(0...1)
        let socket = sockets[index]
        let target = dice.oneIn(12) ? SocketAddress.loopback(port: 1) : addresses[1 - index]
        switch dice.number(0...10) {
        case 0...2:
            let bytes = datagram(&dice)
            let ticket = round.book.expect("\(name): send")
            attempt("send \(bytes.count) bytes") { () throws(UVError) in
                do throws(UVError) {
                    let isConnected = (try? socket.remoteAddress) != nil
                    let outcome = try socket.send(bytes, to: isConnected ? nil : target) { _, error in ticket.end(error)
                    }
                    if case .sent = outcome { ticket.callOff() }
                } catch {
                    ticket.callOff()
                    throw error
                }
            }
        case 3:
            var batch = DatagramBatch()
            for _ in 0..<dice.number(1...40) { batch.append(datagram(&dice), to: target) }
            attempt("send a batch") { () throws(UVError) in _ = try socket.trySend(batch) }
        case 4, 5:
            let limit = dice.oneIn(3) ? dice.number(0...2_000) : 65_536
            let ending = dice.number(0...5)
            attempt("receive up to \(limit)") { () throws(UVError) in
                try socket.startReceiving(upTo: limit) { [self] socket, bytes, info in
                    if isGone[index] { fail("\(name): a datagram after close") }
                    check(bytes, isTruncated: info.isTruncated)
                    if ending == 0 { close(index) } else if ending == 1 { socket.stopReceiving() }
                } onError: { [self] _, error in
                    if isGone[index] { fail("\(name): an error after close") }
                    inspect(error, name)
                }
            }
        case 6:
            attempt("receive batches") { () throws(UVError) in
                try socket.startReceivingBatches { [self] _, batch in
                    if isGone[index] { fail("\(name): a batch after close") }
                    for number in 0..<batch.count { batch.withBytes(at: number) { check($0, isTruncated: false) } }
                } onError: { [self] _, error in
                    inspect(error, name)
                }
            }
        case 7: socket.stopReceiving()
        case 8:
            attempt("take") { () throws(UVError) in
                while let datagram = try socket.tryReceive() { check(datagram.bytes.span, isTruncated: false) }
            }
        case 9:
            if dice.oneIn(2) {
                attempt("connect") { () throws(UVError) in try socket.connect(to: target) }
            } else {
                attempt("disconnect") { () throws(UVError) in try socket.disconnect() }
            }
        default:
            if dice.oneIn(4) {
                close(index)
            } else {
                _ = (socket.sendQueueSize, socket.sendQueueCount, socket.description)
            }
        }
    }

    private func close(_ index: Int) {
        isGone[index] = true
        end(sockets[index])
    }

    override func close() {
        close(0)
        close(1)
    }
}

/// A child process.
final class ChildThing: Thing {
    private var handle: ProcessHandle?
    private var ends: [StreamEnd] = []

    init(_ round: CallbackRound, _ dice: inout Dice) throws(UVError) {
        super.init(round, "child")
        let ticket = round.book.expect("\(name): exit")
        exit = ticket
        do throws(UVError) {
            let loop = round.loop
            let closes = dice.oneIn(3)
            let onExit: (ProcessHandle, ExitStatus) -> Void = { [self] _, _ in
                called("onExit")
                ticket.end()
                exit = nil
                if closes { close() }
            }
            switch dice.number(0...4) {
            case 0: handle = try ProcessHandle(on: loop, "true", output: .null, error: .null, onExit: onExit)
            case 1: handle = try ProcessHandle(on: loop, "sleep", ["0.02"], output: .null, error: .null, onExit: onExit)
            case 2:
                handle = try ProcessHandle(on: loop, "/no/such/program", output: .null, error: .null, onExit: onExit)
            default:
                guard let flow = round.makeFlow() else { throw CallbackRound.noNames }
                let made = try ProcessHandle(on: loop, "cat", input: .pipe, output: .pipe, error: .null, onExit: onExit)
                handle = made
                if let input = made.input, let output = made.output {
                    ends = [
                        StreamEnd(self, input, writes: flow, reads: nil),
                        StreamEnd(self, output, writes: Flow(0), reads: flow),
                    ]
                }
            }
            if let handle { round.watch(handle) }
        } catch {
            ticket.callOff()
            throw error
        }
    }

    private var exit: Ticket?

    override func act(_ dice: inout Dice) {
        switch dice.number(0...8) {
        case 0:
            attempt("kill") { () throws(UVError) in
                try handle?.kill([.terminate, .kill, .user1, Signal(0)][dice.number(0...3)])
            }
        case 1: attempt("kill the group") { () throws(UVError) in try handle?.killGroup(.kill) }
        case 2 where dice.oneIn(6): close()
        case 3: _ = (handle?.description, handle?.exitStatus, handle?.isActive)
        default:
            if let input = ends.first, dice.oneIn(2) { input.act(&dice) } else { ends.last?.act(&dice) }
        }
        // A killed child has not passed on what it took.
        for end in ends { end.output.mayBeCut = true }
    }

    override func close() {
        for end in ends { end.close() }
        isClosed = true
        exit?.callOff()
        exit = nil
        guard let handle else { return }
        try? handle.kill(.kill)
        end(handle)
    }
}

/// Requests for files, threads, names and random numbers.
final class FileThing: Thing {
    private var requests: [Request] = []
    private let path: FilePath

    init(_ round: CallbackRound) {
        path = round.folder.appending("file-\(round.nextNumber())")
        super.init(round, "files")
    }

    /// Starts a request that ends once.
    private func start<Value>(
        _ what: String, _ begin: (@escaping (Result<Value, UVError>) -> Void) throws(UVError) -> Request,
        onValue: @escaping (Value) -> Void = { _ in }
    ) {
        let ticket = round.book.expect("\(name): \(what)")
        note(what)
        var hasBegun = false
        do throws(UVError) {
            let request = try begin { result in
                if !hasBegun { fail("\(self.name): \(what) ended before it began") }
                switch result {
                case .success(let value):
                    ticket.end()
                    onValue(value)
                case .failure(let error): ticket.end(error)
                }
            }
            hasBegun = true
            requests.append(request)
        } catch {
            ticket.callOff()
            inspect(error, "\(name): \(what)")
        }
    }

    private func file<Value>(
        _ what: String, _ operation: FileOperation<Value>, onValue: @escaping (Value) -> Void = { _ in }
    ) {
        let loop = round.loop
        start(what) { done throws(UVError) in
            try FileRequest.start(operation, on: loop) { _, result in done(result) }
        } onValue: {
            onValue($0)
        }
    }

    override func act(_ dice: inout Dice) {
        let loop = round.loop
        switch dice.number(0...15) {
        case 0...3:
            let own = path.appending("x").removingLastComponent()
            let target = FilePath("\(own.string)-\(round.nextNumber())")
            let flow = Flow(UInt8(dice.number(1...255)))
            let bytes = flow.nextBytes(dice.size())
            flow.sent = UInt64(bytes.count)
            file("write \(bytes.count) bytes", .writeFile(target, bytes, durably: false)) { [self] _ in
                file("read \(bytes.count) bytes", .readFile(target)) { [self] found in
                    flow.arrived(found.span, "\(name): \(target)")
                    flow.ended("\(name): \(target)")
                    let copy = FilePath(target.string + "-copy")
                    start("copy") { done throws(UVError) in
                        try FileRequest.copy(target, to: copy, on: loop) { _, result in done(result) }
                    } onValue: { (count: Int64) in
                        if count != Int64(bytes.count) {
                            fail("\(self.name): \(count) of \(bytes.count) bytes are copied")
                        }
                    }
                }
            }
        case 4: file("status", .status(of: path))
        case 5: file("entries", .entries(of: round.folder))
        case 6: file("directory", .makeDirectories(path.appending("a/b/c")))
        case 7:
            start("copy of a tree") { done throws(UVError) in
                try TreeRequest.copy(path, to: FilePath(path.string + "-tree-\(round.nextNumber())"), on: loop) {
                    _, result in
                    done(result)
                }
            }
        case 8:
            start("removal of a tree") { done throws(UVError) in
                try TreeRequest.remove(path, on: loop) { _, result in done(result) }
            }
        case 9:
            let number = dice.number(0...1_000)
            let ticket = round.book.expect("\(name): work")
            do throws(UVError) {
                requests.append(
                    try WorkRequest.run(on: loop) {
                        number * 2
                    } onDone: { _, result in
                        switch result {
                        case .success(let value):
                            if value != number * 2 { fail("\(self.name): work gives \(value)") }
                            ticket.end()
                        case .failure(let error): ticket.end(error)
                        }
                    })
            } catch { ticket.callOff() }
        case 10:
            let count = dice.number(-1...1_000)
            start("random bytes") { done throws(UVError) in
                try RandomRequest.bytes(count, on: loop) { _, result in done(result) }
            } onValue: {
                if $0.count != count { fail("\(self.name): \($0.count) random bytes of \(count)") }
            }
        case 11:
            let host = ["127.0.0.1", "::1", "localhost", "no.such.name.invalid", "a b", ""][dice.number(0...5)]
            start("look-up") { done throws(UVError) in
                try AddressRequest.addresses(of: host, port: 1, on: loop) { _, result in done(result) }
            }
        case 12:
            start("name") { done throws(UVError) in
                try NameRequest.name(of: .loopback(port: 80), on: loop) { _, result in done(result) }
            }
        default:
            guard !requests.isEmpty else { return }
            let request = requests[dice.number(0...1_000) % requests.count]
            attempt("cancel") { () throws(UVError) in try request.cancel() }
        }
    }

    override func close() {
        for request in requests { try? request.cancel() }
        requests = []
    }
}

/// Watches for changes of files, which it makes itself.
final class WatchThing: Thing {
    private let events: FileEventHandle
    private let poll: FilePollHandle
    private var tree: TreeWatcher?
    private var hasTreeEnded = false
    private let path: FilePath

    init(_ round: CallbackRound, _ dice: inout Dice) throws(UVError) {
        events = round.watch(try FileEventHandle(on: round.loop))
        do throws(UVError) { poll = round.watch(try FilePollHandle(on: round.loop)) } catch {
            events.close()
            throw error
        }
        path = round.folder
        super.init(round, "watch")
    }

    override func act(_ dice: inout Dice) {
        let target = dice.oneIn(4) ? path.appending("missing") : path
        switch dice.number(0...9) {
        case 0, 1:
            let ending = dice.number(0...3)
            attempt("watch") { () throws(UVError) in
                try events.start(target) { [self] handle, result in
                    called("an event")
                    if case .failure(let error) = result { inspect(error, name) }
                    if ending == 0 { close() } else if ending == 1 { handle.stop() }
                }
            }
        case 2, 3:
            let ending = dice.number(0...3)
            attempt("look") { () throws(UVError) in
                try poll.start(target, every: .milliseconds(dice.number(0...5))) { [self] handle, result in
                    called("a look")
                    if case .failure(let error) = result { inspect(error, name) }
                    if ending == 0 { close() } else if ending == 1 { handle.stop() }
                }
            }
        case 4: events.stop()
        case 5: poll.stop()
        case 6 where tree == nil && !isClosed:
            var options = TreeWatcher.Options()
            options.debounce = .milliseconds(dice.number(0...3))
            let ending = dice.number(0...3)
            attempt("watch the tree") { () throws(UVError) in
                tree = try TreeWatcher(at: target, options: options, on: round.loop) { [self] watcher, event in
                    called("a change")
                    if hasTreeEnded { fail("\(name): a change after the last one") }
                    switch event {
                    case .ended(let error):
                        hasTreeEnded = true
                        inspect(error, name)
                    case .problem(let error): inspect(error, name)
                    default: break
                    }
                    if ending == 0 { close() }
                }
            }
        case 7 where dice.oneIn(4): close()
        default:
            let one = path.appending("watched-\(dice.number(0...5))")
            _ = try? FileRequest.start(
                dice.oneIn(3) ? .removeFile(one) : .writeFile(one, [1, 2, 3], durably: false), on: round.loop
            ) { _, _ in }
        }
    }

    override func close() {
        isClosed = true
        tree?.close()
        end(events)
        end(poll)
    }
}
