internal import DequeModule
internal import UV

/// The part of ``Signals`` that lives on its loop's thread.
final class SignalsCore {
    private var handles: [SignalHandle] = []
    private var arrived: Deque<CInt> = []
    private var waiting: Deque<Wait<CInt>> = []

    init(_ numbers: [CInt], on loop: Loop) throws(UVError) {
        do throws(UVError) {
            for number in numbers {
                let handle = try SignalHandle(on: loop)
                handles.append(handle)
                handle.label = "Signals"
                try handle.start(number) { [weak self] _, number in self?.take(number) }
            }
        } catch {
            close()
            throw error
        }
    }

    private func take(_ number: CInt) {
        while let pending = waiting.popFirst() {
            if pending.finish(.success(number)) { return }
        }
        if !arrived.contains(number) { arrived.append(number) }
    }

    func take(_ pending: Wait<CInt>) {
        if let number = arrived.popFirst() { return _ = pending.finish(.success(number)) }
        waiting.append(pending)
        pending.onCancel = { [unowned self, unowned pending] in
            if let index = waiting.firstIndex(where: { $0 === pending }) { waiting.remove(at: index) }
        }
    }

    func close() { for handle in handles { handle.close() } }
}
