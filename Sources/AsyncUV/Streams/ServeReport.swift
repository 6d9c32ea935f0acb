internal import Synchronization
internal import UV

/// What `serve` does by default with errors that nobody takes: see ``TCPListener/report``.
enum ServeReport {
    private static let lastComplaint = Atomic<Int64>(.min)

    /// Tells the handler of ``Diagnostics``, but for what is everyday life.
    ///
    /// - Parameter peer: `nil` for an error of the listener.
    static func write(_ error: any Error, of peer: String?) {
        if error is CancellationError { return }
        if let error = error as? UVError, [.connectionReset, .brokenPipe, .timedOut, .canceled].contains(error.code) {
            return
        }
        guard let peer else {
            if isTimeToComplain { Diagnostics.report(.warning, "\(error)") }
            return
        }
        Diagnostics.report(.error, "\(peer): \(error)")
    }

    /// Once a second for the whole process.
    private static var isTimeToComplain: Bool {
        let now = Loop.hrtime.components.seconds
        return lastComplaint.exchange(now, ordering: .relaxed) != now
    }
}
