internal import Synchronization

/// What a body was waiting in when its deadline came, for the error.
///
/// ``withDeadline(_:on:_:)`` cancels the body with this as a task-local value; each wait that the cancellation ends
/// notes its name. Handlers of cancellation run within the call that cancels, and so see its task-local values.
final class UnderWay: Sendable {
    @TaskLocal private static var current: UnderWay?
    private let names = Mutex<[String]>([])

    /// Calls a closure that cancels waits, and notes what they waited in.
    func note(_ cancel: () -> Void) { Self.$current.withValue(self, operation: cancel) }

    /// What was noted, such as "read from 192.0.2.1:80"; `nil` when nothing waited for a loop.
    var text: String? {
        let names = names.withLock { $0 }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }

    /// Notes what a wait waits in, when a deadline cancels it.
    static func note(_ operation: StaticString, _ partner: @autoclosure () -> String?) {
        guard let current else { return }
        let name = ["\(operation)", partner()].compactMap { $0 }.joined(separator: " ")
        current.names.withLock { names in
            if !names.contains(name) { names.append(name) }
        }
    }
}
