internal import Synchronization
internal import SystemPackage
internal import UV

/// What `serve` does by default with errors that nobody takes: see ``TCPListener/report``.
enum ServeReport {
    private static let lastComplaint = Atomic<Int64>(.min)

    /// Writes a line to standard error, but for what is everyday life.
    ///
    /// - Parameter peer: `nil` for an error of the listener.
    static func write(_ error: any Error, of peer: String?) {
        if error is CancellationError { return }
        if let error = error as? UVError, [.connectionReset, .brokenPipe, .timedOut, .canceled].contains(error.code) {
            return
        }
        if peer == nil, !isTimeToComplain { return }
        let line = (peer.map { "\($0): " } ?? "") + "\(error)\n"
        _ = try? FileDescriptor.standardError.writeAll(line.utf8)
    }

    /// Once a second for the whole process.
    private static var isTimeToComplain: Bool {
        let now = Loop.hrtime.components.seconds
        return lastComplaint.exchange(now, ordering: .relaxed) != now
    }
}
