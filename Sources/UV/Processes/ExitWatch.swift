internal import CPlatform
internal import SystemPackage

/// Tells of a child's end by its descriptor, where the system has one (Linux 5.3).
///
/// libuv alone hears of it by SIGCHLD and asks for the status of each of its children. It never learns of one whose status another
/// part of the program has taken, or whose signal it did not get.
final class ExitWatch {
    private let poll: PollHandle
    private let descriptor: FileDescriptor

    /// - Returns: `nil` where the system has no such descriptor, or none left.
    init?(of process: CInt, on loop: Loop, onEnd: @escaping () -> Void) {
        let number = cplatform_process_descriptor(process)
        guard number >= 0 else { return nil }
        descriptor = FileDescriptor(rawValue: number)
        do {
            poll = try PollHandle(on: loop, borrowing: number)
            do { try poll.start(.readable, once: true) { _, _ in onEnd() } } catch {
                poll.close()
                throw error
            }
        } catch {
            descriptor.closeIgnoringErrors()
            return nil
        }
        poll.keepsLoopAlive = false
    }

    /// Ends the watch. To be called once.
    func close() {
        poll.close()
        descriptor.closeIgnoringErrors()
    }
}
