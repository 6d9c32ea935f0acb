internal import DequeModule
internal import UV

/// The part of ``Signals`` that lives on its loop's thread.
final class SignalsCore {
    private var handles: [SignalHandle] = []
    private var arrived: Deque<Signal> = []
    private var waiting: Deque<Wait<Signal>> = []

    init(_ signals: [Signal], on loop: Loop) throws(UVError) {
        do throws(UVError) {
            for signal in signals {
                let handle = try SignalHandle(on: loop)
                handles.append(handle)
                handle.label = "Signals"
                try handle.start(signal) { [weak self] _, signal in self?.take(signal) }
            }
        } catch {
            close()
            throw error
        }
    }

    private func take(_ signal: Signal) {
        while let pending = waiting.popFirst() {
            if pending.finish(.success(signal)) { return }
        }
        if !arrived.contains(signal) { arrived.append(signal) }
    }

    func take(_ pending: Wait<Signal>) {
        if let signal = arrived.popFirst() { return _ = pending.finish(.success(signal)) }
        waiting.append(pending)
        pending.onCancel = { [unowned self, unowned pending] in
            if let index = waiting.firstIndex(where: { $0 === pending }) { waiting.remove(at: index) }
        }
    }

    func close() { for handle in handles { handle.close() } }
}
