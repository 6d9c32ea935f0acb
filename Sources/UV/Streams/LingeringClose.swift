internal import CLibuv
internal import CPlatform
internal import SystemPackage

/// A connection whose handle is closed and whose peer may still send.
///
/// Closing a socket with bytes of the peer's unread, or on their way, makes the system reset the connection, and then the
/// peer's system throws away what its program has not read yet. So our side is finished first, and what comes is read and
/// dropped until the peer finishes too: for a while, and up to a size.
package final class LingeringClose {
    /// How often the clock looks whether the peer has sent something. A peer that has not is given up.
    private static let silence = Duration.seconds(2)
    private static let mostSilences = 15
    private static let mostBytes = 16 << 20

    private let socket: TCPHandle
    private let clock: TimerHandle
    private var bytes = 0
    private var bytesBefore = 0
    private var silences = 0
    /// Called when the socket is closed.
    package var onDone: (() -> Void)?

    fileprivate init(_ descriptor: CInt, on loop: Loop) throws(UVError) {
        let duplicate = cplatform_duplicate(descriptor)
        try checkSystem(duplicate, "close")
        socket = try TCPHandle(on: loop, adopting: duplicate, of: nil)
        clock = try TimerHandle(on: loop)
        socket.label = "lingering"
        clock.label = "lingering"
        socket.whenClosed { [self] _ in
            clock.close()
            let call = onDone.take()
            call?()
        }
        try clock.start(after: Self.silence, every: Self.silence) { [unowned self] _ in tick() }
        try socket.startReading(
            onBytes: { [unowned self] socket, more in
                bytes += more.count
                if bytes > Self.mostBytes { socket.close() }
            }, onEnd: { socket, _ in socket.close() })
    }

    private func tick() {
        silences += 1
        if bytes == bytesBefore || silences == Self.mostSilences { socket.close() }
        bytesBefore = bytes
    }
}

extension StreamHandle {
    /// Finishes our side and closes. Writes that wait are dropped.
    ///
    /// - Returns: What is left of the connection until the peer has finished; `nil` when nothing is left, because the peer has
    ///   finished already, is gone, or there never was one.
    @discardableResult
    package final func closeGently() -> LingeringClose? {
        checkThread()
        finishFilteredBeforeClose()
        defer { close() }
        guard unsafe isOpen && acceptor == nil && !hasEnded && !hasBacklog && stream.pointee.connect_req == nil,
            let descriptor = try? fileDescriptor.rawValue, systemFinish(descriptor) == 0
        else { return nil }
        return try? LingeringClose(descriptor, on: loop)
    }
}
