import CChaos
import SystemPackage
import UV

/// One end of a stream: what it writes is checked where it comes out, and what it reads here.
final class StreamEnd {
    let handle: StreamHandle
    private unowned let thing: Thing
    private let name: String
    /// What this end writes.
    let output: Flow
    /// What it reads. A listener's connection learns it from the first byte.
    private(set) var input: Flow?
    private(set) var isClosed = false
    private var isBroken = false
    private var pull: Ticket?
    private var hasEnded = false

    init(_ thing: Thing, _ handle: StreamHandle, writes output: Flow, reads input: Flow?) {
        self.thing = thing
        self.handle = handle
        self.output = output
        self.input = input
        name = "\(thing.name), stream \(output.name)"
        thing.round.watch(handle)
    }

    private func note(_ text: String) { remember("\(name): \(text)") }

    private func attempt(_ what: String, _ body: () throws(UVError) -> Void) {
        note(what)
        do throws(UVError) { try body() } catch {
            inspect(error, "\(name): \(what)")
            note("\(what) was refused: \(error)")
        }
    }

    private func called(_ what: String) {
        if isClosed { fail("\(name): \(what) was called after close") }
    }

    func act(_ dice: inout Dice) {
        switch dice.number(0...16) {
        case 0...4: write(&dice)
        case 5...6: startReading(&dice)
        case 7: handle.stopReading()
        case 8: handle.resumeReading()
        case 9: read(&dice)
        case 10:
            let wasPulling = pull != nil
            if handle.cancelRead() {
                pull?.callOff()
                pull = nil
                if !wasPulling { fail("\(name): took back a read that nobody has begun") }
            }
        case 11: finishWriting()
        case 12: ending(dice.number(0...2))
        case 13: handle.keepsLoopAlive.toggle()
        case 14: doWrong(&dice)
        default: _ = (handle.isReadable, handle.isWritable, handle.writeQueueSize, handle.description, handle.isActive)
        }
    }

    private func write(_ dice: inout Dice) {
        if isBroken && !isClosed { return }
        let bytes = output.nextBytes(dice.size())
        let ticket = thing.round.book.expect("\(name): write of \(bytes.count) bytes")
        let closesAtEnd = dice.oneIn(12)
        let kind = dice.number(0...5)
        let done: (StreamHandle, UVError?) -> Void = { [self] _, error in
            if error != nil {
                output.mayBeCut = true
                isBroken = true
            }
            ticket.end(error)
            if closesAtEnd { close() }
        }
        note("write \(bytes.count) bytes from \(output.sent), kind \(kind)")
        do throws(UVError) {
            var count = bytes.count
            let outcome: WriteOutcome
            // Before the write: the peer may be called inside.
            output.sent += UInt64(count)
            switch kind {
            case 0: outcome = try handle.write(bytes.span, onDone: done)
            case 1: outcome = try handle.write(bytes, onDone: done)
            case 2:
                let cut = bytes.count / 3
                let parts = [Array(bytes[..<cut]), [], Array(bytes[cut...])]
                outcome = try handle.write(contentsOf: parts, onDone: done)
            case 3:
                output.sent -= UInt64(count)
                count = try handle.tryWrite(bytes.span)
                output.sent += UInt64(count)
                outcome = .sent
            case 4:
                output.sent -= UInt64(count)
                let cut = bytes.count / 2
                count = try handle.tryWrite(contentsOf: [Array(bytes[..<cut]), Array(bytes[cut...])])
                output.sent += UInt64(count)
                outcome = .sent
            default:
                outcome = try handle.write(bytes)
                // Nobody tells how it ends.
                if case .queued = outcome { output.mayBeCut = true }
                ticket.callOff()
                return
            }
            if case .sent = outcome { ticket.callOff() }
        } catch {
            ticket.callOff()
            inspect(error, "\(name): write")
            // Part of it may have gone.
            isBroken = true
            output.mayBeCut = true
        }
    }

    private func startReading(_ dice: inout Dice) {
        var calls = 0
        let last = dice.number(1...6)
        let reaction = dice.number(0...9)
        let atEnd = dice.number(0...2)
        attempt("startReading") { () throws(UVError) in
            try handle.startReading { [self] handle, bytes in
                called("onBytes")
                arrived(bytes)
                calls += 1
                guard calls == last else { return }
                switch reaction {
                case 0: close()
                case 1: handle.stopReading()
                case 2: ending(1)
                case 3: ending(2)
                case 4: finishWriting()
                default: break
                }
            } onEnd: { [self] _, error in
                called("onEnd")
                ended(error)
                if atEnd == 0 { close() } else if atEnd == 1 { ending(2) }
            }
        }
    }

    private func read(_ dice: inout Dice) {
        let ticket = thing.round.book.expect("\(name): read")
        let again = dice.oneIn(2)
        attempt("read") { () throws(UVError) in
            do throws(UVError) {
                let outcome = try handle.read(upTo: dice.number(0...70_000)) { [self] _, result in
                    pull = nil
                    switch result {
                    case .success(let bytes?):
                        ticket.end()
                        if isClosed { fail("\(name): bytes after close") }
                        arrived(bytes.span)
                        if again { close() }
                    case .success(nil):
                        ticket.end()
                        ended(nil)
                    case .failure(let error):
                        ticket.end(error)
                        if error.code != .canceled { ended(error) }
                    }
                }
                switch outcome {
                case .waiting: pull = ticket
                case .bytes(let bytes):
                    ticket.callOff()
                    arrived(bytes.span)
                case .ended:
                    ticket.callOff()
                    if !hasEnded { ended(nil) }
                }
            } catch {
                ticket.callOff()
                throw error
            }
        }
    }

    private func arrived(_ bytes: Span<UInt8>) {
        if bytes.count == 0 { fail("\(name): no bytes arrive") }
        if hasEnded { fail("\(name): bytes after the end") }
        if input == nil { input = thing.round.flows[bytes[0]] }
        guard let input else { fail("\(name): the first byte, \(bytes[0]), names no stream") }
        input.arrived(bytes, name)
    }

    private func ended(_ error: UVError?) {
        note("end: \(error as UVError?)")
        inspect(error, "\(name): end")
        // A read that is begun after the end is told of it as well.
        if error == nil, hasEnded { return }
        hasEnded = true
        if error == nil { input?.ended(name) }
    }

    private func finishWriting() {
        let ticket = thing.round.book.expect("\(name): finishWriting")
        attempt("finishWriting") { () throws(UVError) in
            do throws(UVError) {
                try handle.finishWriting { [self] _, error in
                    if error != nil { output.mayBeCut = true }
                    ticket.end(error)
                }
                isBroken = true
            } catch {
                ticket.callOff()
                throw error
            }
        }
    }

    /// 0: close; 1: reset; 2: after the writes.
    func ending(_ kind: Int) {
        if kind == 2 {
            note("closeAfterWrites")
            let ticket = handle.isClosing ? nil : thing.round.book.expect("\(name): closeAfterWrites")
            // Its callbacks go on until then.
            isBroken = true
            // Who it ends for may be a peer that has gone.
            handle.closeAfterWrites { [self] _ in
                isClosed = true
                ticket?.end()
            }
        } else if kind == 1, let tcp = handle as? TCPHandle {
            note("closeWithReset")
            beforeClose(true)
            let ticket = handle.isClosing ? nil : thing.round.book.expect("\(name): closeWithReset")
            tcp.closeWithReset { _ in ticket?.end() }
        } else {
            close()
        }
    }

    func close() {
        note("close")
        beforeClose(handle.writeQueueSize > 0)
        thing.end(handle)
    }

    /// The loop closes the handle.
    func isClosedByLoop() { beforeClose(true) }

    private func beforeClose(_ dropsBytes: Bool) {
        isClosed = true
        isBroken = true
        if dropsBytes { output.mayBeCut = true }
    }

    private func doWrong(_ dice: inout Dice) {
        attempt("wrong") { () throws(UVError) in
            switch (handle, dice.number(0...4)) {
            // It may begin where an earlier connect has failed.
            case (let tcp as TCPHandle, 0):
                let ticket = thing.round.book.expect("\(name): connect to nobody")
                do throws(UVError) { try tcp.connect(to: .loopback(port: 1)) { _, error in ticket.end(error) } } catch {
                    ticket.callOff()
                    throw error
                }
            case (let tcp as TCPHandle, 1): try tcp.setNoDelay(enabled: dice.oneIn(2))
            case (let tcp as TCPHandle, 2): _ = (try? tcp.localAddress, try? tcp.remoteAddress)
            case (let tcp as TCPHandle, _): try tcp.setKeepAlive(.init(idle: .zero))
            case (let pipe as PipeHandle, 0): try pipe.bind(to: .init(abstract: "chaos"))
            case (let pipe as PipeHandle, 1): _ = try pipe.peerCredentials
            case (let pipe as PipeHandle, 2): try pipe.acceptPending(into: handle)
            case (let pipe as PipeHandle, 3): try pipe.allowEveryone([])
            default: try handle.setSendBufferSize(dice.number(4_000...100_000))
            }
        }
    }
}

/// Two ends that are connected with each other.
final class PairThing: Thing {
    private var near: StreamEnd!
    private var far: StreamEnd!

    private func begin(_ near: StreamHandle, _ far: StreamHandle) throws(UVError) {
        guard let out = round.makeFlow(), let back = round.makeFlow() else {
            near.close()
            far.close()
            throw CallbackRound.noNames
        }
        self.near = StreamEnd(self, near, writes: out, reads: back)
        self.far = StreamEnd(self, far, writes: back, reads: out)
    }

    init(_ round: CallbackRound, tcp dice: inout Dice) throws(UVError) {
        super.init(round, "pair")
        let (near, far) = try TCPHandle.pair(on: round.loop)
        try begin(near, far)
    }

    init(_ round: CallbackRound, local dice: inout Dice) throws(UVError) {
        super.init(round, "local pair")
        let (near, far) = try PipeHandle.pair(on: round.loop, ipc: dice.oneIn(2))
        try begin(near, far)
    }

    override func act(_ dice: inout Dice) {
        let end: StreamEnd = dice.oneIn(2) ? near : far
        end.act(&dice)
    }

    override func close() {
        near.close()
        far.close()
    }
}

/// A plain socket of a client.
private struct Peer {
    var socket: CInt
    let flow: Flow
    /// What it has taken of the server's bytes.
    var place: UInt64 = 0
    var name: CInt = -1
    var isFinished = false
}

/// A listener, its connections, handles that connect to it, and plain sockets that do.
class ListenerThing: Thing {
    fileprivate var ends: [StreamEnd] = []
    private var peers: [Peer] = []
    fileprivate var listener: StreamHandle { fatalError("made by each kind") }

    fileprivate func accepted(_ result: Result<some StreamHandle, UVError>) {
        called("onConnection")
        switch result {
        case .success(let handle):
            guard let flow = round.makeFlow() else { return handle.close() }
            ends.append(StreamEnd(self, handle, writes: flow, reads: nil))
        case .failure(let error): inspect(error, "\(name): accept")
        }
    }

    fileprivate func connectPlain() -> CInt { -1 }
    fileprivate func connect() throws(UVError) {}

    /// Asks for a connect, whose closure gets its end.
    fileprivate func connect(
        _ handle: StreamHandle, _ begin: (@escaping (UVError?) -> Void) throws(UVError) -> Void
    ) throws(UVError) {
        guard let flow = round.makeFlow() else {
            handle.close()
            throw CallbackRound.noNames
        }
        let end = StreamEnd(self, handle, writes: flow, reads: nil)
        let ticket = round.book.expect("\(name): connect")
        ends.append(end)
        do throws(UVError) {
            try begin { error in
                if error != nil { flow.mayBeCut = true }
                ticket.end(error)
            }
        } catch {
            ticket.callOff()
            throw error
        }
    }

    override func act(_ dice: inout Dice) {
        switch dice.number(0...11) {
        case 0, 1: attempt("connect") { () throws(UVError) in try connect() }
        case 2, 3:
            guard let flow = round.makeFlow() else { return }
            let socket = connectPlain()
            guard socket >= 0 else { return }
            peers.append(Peer(socket: socket, flow: flow))
        case 4, 5: actOnPeer(&dice)
        case 6 where dice.oneIn(3): listener.pauseAccepting()
        case 7: attempt("resumeAccepting") { () throws(UVError) in try listener.resumeAccepting() }
        case 8 where dice.oneIn(6): closeListener()
        case 9 where dice.oneIn(3): _ = (listener.description, listener.keepsLoopAlive)
        default:
            if !ends.isEmpty { ends[dice.number(0...1_000) % ends.count].act(&dice) }
        }
    }

    private func actOnPeer(_ dice: inout Dice) {
        guard !peers.isEmpty else { return }
        let index = dice.number(0...1_000) % peers.count
        let socket = peers[index].socket
        guard socket >= 0 else { return }
        switch dice.number(0...5) {
        case 0 where !peers[index].isFinished:
            let flow = peers[index].flow
            flow.sent += UInt64(chaos_send(socket, flow.name, flow.sent, dice.size()))
        case 2:
            chaos_half_close(socket)
            peers[index].isFinished = true
        case 3:
            note("a peer resets")
            peers[index].flow.mayBeCut = true
            chaos_reset(socket)
            peers[index].socket = -1
        case 4:
            note("a peer closes")
            chaos_close(socket)
            peers[index].socket = -1
        default:
            var peer = peers[index]
            if unsafe chaos_take(socket, &peer.name, &peer.place) == -2 {
                fail("\(name): a peer gets wrong bytes of stream \(peer.name) at \(peer.place)")
            }
            peers[index] = peer
        }
    }

    fileprivate func closeListener() {
        isClosed = true
        end(listener)
    }

    override func close() {
        for peer in peers where peer.socket >= 0 { chaos_close(peer.socket) }
        peers = []
        for end in ends { end.close() }
        closeListener()
    }
}

final class TCPListenerThing: ListenerThing {
    private let handle: TCPHandle
    private let address: SocketAddress

    override var listener: StreamHandle { handle }

    init(_ round: CallbackRound) throws(UVError) {
        handle = round.watch(try TCPHandle(on: round.loop))
        do throws(UVError) {
            try handle.bind(to: .loopback(port: 0))
            address = try handle.localAddress
        } catch {
            handle.close()
            throw error
        }
        super.init(round, "listener")
        attempt("listen") { () throws(UVError) in
            try handle.listen(backlog: 64) { [unowned self] _, result in accepted(result) }
        }
    }

    override func connectPlain() -> CInt { chaos_connect(address.port) }

    override func connect() throws(UVError) {
        let client = try TCPHandle(on: round.loop)
        try connect(client) { onDone throws(UVError) in try client.connect(to: address) { onDone($1) } }
    }
}

final class LocalListenerThing: ListenerThing {
    private let handle: PipeHandle
    private let address: LocalAddress

    override var listener: StreamHandle { handle }

    init(_ round: CallbackRound, _ dice: inout Dice) throws(UVError) {
        let name = "socket-\(round.nextNumber())"
        let path = round.folder.appending(name)
        address = dice.oneIn(3) ? try LocalAddress(abstract: path.string) : try LocalAddress(path: path)
        handle = round.watch(try PipeHandle(on: round.loop))
        do throws(UVError) { try handle.bind(to: address, replacingStale: dice.oneIn(3)) } catch {
            handle.close()
            throw error
        }
        super.init(round, "local listener")
        attempt("listen") { () throws(UVError) in
            try handle.listen(backlog: 64) { [unowned self] _, result in accepted(result) }
        }
    }

    override func connectPlain() -> CInt {
        guard let path = address.path else { return -1 }
        return unsafe chaos_connect_local(path.string)
    }

    override func connect() throws(UVError) {
        let client = try PipeHandle(on: round.loop)
        try connect(client) { onDone throws(UVError) in try client.connect(to: address) { onDone($1) } }
    }
}
