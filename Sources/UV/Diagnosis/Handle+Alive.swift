internal import CLibuv

extension Handle {
    /// The handle's entry in a report, but for what says who made it.
    final func aliveEntry() -> AliveReport.Entry {
        var entry = AliveReport.Entry(aliveKind, standing)
        entry.label = label
        entry.age = age
        entry.madeAt = madeAt
        if let origin = loop.origins[self] {
            entry.madeBy = origin.trail
            entry.task = origin.task
        }
        if isClosing { return entry }
        describe(&entry)
        if entry.standing == .isIdle {
            let reason = isActive ? "keepsLoopAlive is false" : "not active"
            entry.detail = entry.detail.map { "\($0), \(reason)" } ?? reason
        }
        return entry
    }

    private final var standing: AliveReport.Standing {
        if isClosing { return .isClosing }
        if keepsLoopAlive, isActive || hasWritesLeft { return .keepsLoopAlive }
        return .isIdle
    }

    private final var hasWritesLeft: Bool { pendingBytes > 0 }

    private final var pendingBytes: Int {
        switch self {
        case let stream as StreamHandle: stream.writeQueueSize
        case let udp as UDPHandle: udp.sendQueueSize
        default: 0
        }
    }

    private final var aliveKind: String {
        switch self {
        case let stream as StreamHandle: stream.streamKind
        case is UDPHandle: "UDP socket"
        case is TimerHandle: "timer"
        case is SignalHandle: "signal watch"
        case let process as ProcessHandle: process.id == 0 ? "child process" : "child process \(process.id)"
        case is PollHandle: "watch of a descriptor"
        case is FileEventHandle: "watch of a file"
        case is FilePollHandle: "regular look at a file"
        case is WakeupHandle: "wakeup handle"
        case is IdleHandle: "idle handle"
        case is PrepareHandle: "prepare handle"
        case is CheckHandle: "check handle"
        default: "\(type(of: self))"
        }
    }

    private final func describe(_ entry: inout AliveReport.Entry) {
        entry.pendingBytes = pendingBytes
        switch self {
        case let stream as StreamHandle:
            entry.address = stream.streamAddress
            entry.detail = stream.streamDetail
        case let udp as UDPHandle:
            let here = (try? udp.localAddress).map { "on \($0)" }
            entry.address = udp.peer.map { "to \($0)" } ?? here
        case let timer as TimerHandle where timer.isActive:
            let due = "due in \(timer.timeLeft.inWords)"
            entry.detail = timer.interval.map { "\(due), every \($0.inWords)" } ?? due
        case let signal as SignalHandle:
            let number = unsafe signal.memory.assumingMemoryBound(to: uv_signal_t.self).pointee.signum
            if number != 0 { entry.address = "for \(Signal(number))" }
        case let poll as PollHandle:
            entry.address = (try? poll.fileDescriptor).map { "\($0.rawValue)" }
        case let file as FileEventHandle: entry.address = file.path.map { "\($0)" }
        case let file as FilePollHandle: entry.address = file.path.map { "\($0)" }
        default: break
        }
    }
}

extension AliveReport.Entry {
    /// The entry of a handle that C code has made: what libuv knows of it.
    @safe
    init(ofC raw: UnsafeMutablePointer<uv_handle_t>) {
        let type = unsafe uv_handle_get_type(raw)
        let isActive = unsafe uv_is_active(raw) != 0
        let isClosing = unsafe uv_is_closing(raw) != 0
        let standing: AliveReport.Standing =
            if isClosing { .isClosing } else if unsafe isActive && uv_has_ref(raw) != 0 { .keepsLoopAlive } else {
                .isIdle
            }
        self.init(unsafe Handle.Kind(name: String(cString: uv_handle_type_name(type))).name, standing)
        detail = "made by C code"
        guard standing != .isClosing else { return }
        var descriptor: uv_os_fd_t = -1
        if unsafe uv_fileno(raw, &descriptor) == 0 { address = "of descriptor \(descriptor)" }
        if type == UV_TIMER, isActive {
            let left = unsafe raw.withMemoryRebound(to: uv_timer_t.self, capacity: 1) { unsafe uv_timer_get_due_in($0) }
            detail? += ", due in \(Duration.milliseconds(left).inWords)"
        }
        if standing == .isIdle { detail? += isActive ? ", not referenced" : ", not active" }
    }
}

extension StreamHandle {
    fileprivate final var isListening: Bool { acceptor != nil }

    fileprivate final var streamKind: String {
        switch self {
        case is TTYHandle: "terminal"
        case let pipe as PipeHandle:
            if isListening { "local listener" } else { pipe.peerName == nil ? "pipe" : "local connection" }
        default:
            if isListening { "TCP listener" } else { peerName == nil ? "TCP socket" : "TCP connection" }
        }
    }

    fileprivate final var streamAddress: String? {
        if isListening { return localName.map { "on \($0)" } }
        return peerName.map { "with \($0)" }
    }

    fileprivate final var streamDetail: String? {
        if isListening { return nil }
        if unsafe isBeingRead || receiver.isReading { return "reading" }
        return nil
    }
}
