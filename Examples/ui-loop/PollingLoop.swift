import ExampleSupport
import Readiness
import Synchronization

/// The first way: scan the mouse, scan the keyboard, begin again. One core is busy with finding nothing.
struct PollingLoop {
    func run(for seconds: Int) throws -> Looks {
        let latches = [Latch(), Latch()]
        for (device, latch) in zip([Device.mouse, .keyboard], latches) {
            try device.start(
                seconds: seconds, deliver: { latch.store($0) }, done: { latch.close() })
        }
        var looks = Looks()
        while !latches.allSatisfy(\.isClosed) {
            for latch in latches {
                looks.count += 1
                guard let input = latch.take() else { continue }
                looks.inputs += 1
                // The loop itself must know what to do for each kind.
                switch input.device {
                case "click": printLine("  clicked (\(input.number))")
                default: printLine("  key pressed (\(input.number))")
                }
            }
        }
        return looks
    }
}

/// What a device shows to whoever looks: the last input, once.
private final class Latch: Sendable {
    private let state = Mutex<(input: Input?, isClosed: Bool)>((nil, false))

    func store(_ input: Input) { state.withLock { $0.input = input } }
    func close() { state.withLock { $0.isClosed = true } }
    func take() -> Input? { state.withLock { $0.input.take() } }
    var isClosed: Bool { state.withLock { $0.isClosed && $0.input == nil } }
}
