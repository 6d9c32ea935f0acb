internal import Synchronization
internal import SystemPackage

/// Something that the library has to say and that no caller is there to be told: a connection that its handler failed, a file that
/// could not be put back.
public struct Diagnostic: Sendable, CustomStringConvertible {
    /// How bad it is.
    public enum Level: Sendable {
        /// Something went wrong, and the library goes on without a loss.
        case warning
        /// Something is lost: a connection, a file's rest.
        case error
    }

    /// How bad it is.
    public let level: Level
    /// A sentence for people, without a line's end.
    public let message: String

    /// For people: `warning: too many open files (EMFILE) in accept`.
    public var description: String { "\(level): \(message)" }
}

/// Where the library says what no caller is there to be told. By default nowhere: the library prints nothing by itself. Only the reports
/// that a program has asked for, of stalls and on a signal, go to standard error while there is no handler.
///
/// A program that wants to see it writes `Diagnostics.setHandler(Diagnostics.standardError)`.
public enum Diagnostics {
    private static let handler = Mutex<(@Sendable (Diagnostic) -> Void)?>(nil)
    /// Whether there is a handler: without one a report costs a load.
    static let isHeard = Atomic(false)

    /// Sets the function that gets what the library says, for the whole process; `nil` for none. It replaces the one before, which may
    /// be called once more by a thread that is at it.
    ///
    /// The handler is called on the thread where the matter came up, mostly a loop's own: it should not block. It may report and set
    /// handlers itself, because no lock is held meanwhile.
    public static func setHandler(_ handler: (@Sendable (Diagnostic) -> Void)?) {
        self.handler.withLock { held in
            held = handler
            isHeard.store(handler != nil, ordering: .releasing)
        }
    }

    /// A handler that writes a line to standard error, at once: where that is a pipe that nobody reads, the thread waits.
    public static let standardError: @Sendable (Diagnostic) -> Void = { diagnostic in
        _ = try? FileDescriptor.standardError.writeAll("\(diagnostic)\n".utf8)
    }

    /// Says something. The message is made only if somebody listens.
    ///
    /// - Returns: Whether somebody took it.
    @discardableResult
    package static func report(_ level: Diagnostic.Level, _ message: @autoclosure () -> String) -> Bool {
        guard isHeard.load(ordering: .acquiring), let call = handler.withLock({ $0 }) else { return false }
        call(Diagnostic(level: level, message: message()))
        return true
    }
}
