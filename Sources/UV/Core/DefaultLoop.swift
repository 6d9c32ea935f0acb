internal import CLibuv
internal import Synchronization

/// Makes the process's default loop once, whichever thread comes first.
final class DefaultLoop: Sendable {
    static let shared = DefaultLoop()

    /// The object checks its thread itself, so the reference may be handed to any.
    private struct Box: @unchecked Sendable { let loop: Loop }
    private let made = Mutex<Box?>(nil)

    func get() throws(UVError) -> Loop {
        let box = made.withLock { made -> Box? in
            if made?.loop.isUsable != true, let raw = unsafe uv_default_loop() {
                made = Box(loop: unsafe Loop(raw: raw, ownsMemory: false))
            }
            return made
        }
        guard let box else { throw UVError(.noMemory, in: "loop creation", of: "the default loop") }
        return box.loop
    }
}
