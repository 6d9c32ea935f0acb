import CReadiness
import Readiness

/// Works until a signal says that the socket is ready; then reads. The handler counts, the work looks at the count.
///
/// The signal is an edge: it says that something has come, not how much. So each time all is read, until the socket
/// would block: one system call more a signal.
struct SignalModel: IOModel {
    let name = "signal-driven"
    let summary = ["a signal interrupts the work", "when there is data; recv copies"]

    func receiveAll(_ reader: inout Reader) throws -> Track? {
        try reader.socket.setBlocking(false)
        var seen = readiness_signal_io_arrivals()
        guard readiness_signal_io_start(reader.socket.descriptor) == 0 else { throw SignalError() }
        defer { _ = readiness_signal_io_stop(reader.socket.descriptor) }
        var received = 0
        while received < reader.setting.messages {
            while readiness_signal_io_arrivals() == seen { reader.doWork() }
            seen = readiness_signal_io_arrivals()
            while try reader.receive(mayBlock: false, inVain: .free) { received += 1 }
        }
        return nil
    }

    struct SignalError: Error {}
}
