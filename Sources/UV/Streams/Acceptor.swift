internal import CLibuv
internal import CPlatform
internal import SystemPackage

/// Accepts connections from a listening socket of ours.
///
/// When descriptors run out libuv's own listener can call back for ever inside one turn. This one pauses, so that
/// the loop goes on and the clients wait in the kernel's queue.
final class Acceptor {
    /// How long to wait when the system is out of something.
    private static let pause = Duration.milliseconds(50)
    /// The most connections in one turn, so that other handles on the loop get their turn.
    private static let budget = 64

    private let descriptor: CInt
    private let poll: PollHandle
    private let onSocket: (Result<Accepted, UVError>) -> Void
    private var retry: TimerHandle?
    private(set) var isPaused = false
    private var isClosed = false
    /// If false, one connection is accepted in a turn, so that other processes on the same socket get some.
    var acceptsMany = true

    /// A new connection's socket, and who is at the other end, in the one or the other family.
    struct Accepted {
        let socket: CInt
        let peer: SocketAddress?
        let localPeer: LocalAddress?
    }

    init(
        on loop: Loop, _ descriptor: CInt, _ onSocket: @escaping (Result<Accepted, UVError>) -> Void
    ) throws(UVError) {
        self.descriptor = descriptor
        self.onSocket = onSocket
        poll = try PollHandle(on: loop, borrowing: descriptor)
        do { try watch() } catch {
            poll.close()
            throw error
        }
    }

    var isActive: Bool { poll.isActive || retry?.isActive == true }

    var keepsLoopAlive: Bool {
        get { poll.keepsLoopAlive }
        set {
            poll.keepsLoopAlive = newValue
            retry?.keepsLoopAlive = newValue
        }
    }

    func pauseAccepting() {
        isPaused = true
        poll.stop()
        retry?.stop()
    }

    func resumeAccepting() throws(UVError) {
        guard isPaused, !isClosed else { return }
        try watch()
        isPaused = false
    }

    func close() {
        isClosed = true
        poll.close()
        retry?.close()
    }

    private func watch() throws(UVError) {
        try poll.start(.readable) { [unowned self] _, _ in acceptWhatWaits() }
    }

    private func acceptWhatWaits() {
        for _ in 0..<(acceptsMany ? Self.budget : 1) {
            guard !isPaused, !isClosed else { return }
            var peer = sockaddr_storage()
            var size: socklen_t = 0
            let socket = unsafe cplatform_accept(descriptor, &peer, &size)
            if socket >= 0 {
                let address = SocketAddress(&peer)
                let local = address == nil ? LocalAddress(&peer, size: size) : nil
                onSocket(.success(Accepted(socket: socket, peer: address, localPeer: local)))
                continue
            }
            let code = UVError.Code.lastSystemError
            switch code {
            case .resourceTemporarilyUnavailable: return
            // The peer gave up while it waited, or accept(2) reports a network error of the new connection.
            case .interrupted, .connectionAbort, .protocolError, .protocolNotAvailable, .networkDown, .noNetwork,
                .networkUnreachable, .noRouteToHost, .hostIsDown, .notSupported:
                continue
            default: return backOff(UVError(code, in: "accept"))
            }
        }
    }

    /// Reports an error that would come again at once, and tries again in a while.
    func backOff(_ error: UVError) {
        poll.stop()
        poll.loop.tally.acceptFailures.add(1)
        do throws(UVError) {
            if retry == nil {
                retry = try TimerHandle(on: poll.loop)
                retry?.isInternal = true
            }
            retry?.keepsLoopAlive = poll.keepsLoopAlive
            try retry?.start(after: Self.pause) { [unowned self] _ in
                if !isPaused { try? watch() }
            }
        } catch { assertionFailure("a timer needs nothing of the system: \(error)") }
        onSocket(.failure(error))
    }
}
