internal import CLibuv
internal import CPlatform
internal import Synchronization
public import SystemPackage
internal import UVPlatform

/// What a terminal does with keys before a program reads them.
public enum TerminalMode: Hashable, Sendable {
    /// Whole lines, with echo; Ctrl-C and Ctrl-Z are signals.
    case normal
    /// Each key at once, without echo; Ctrl-C and Ctrl-Z are keys. Lines that are printed still end with `\n`.
    case raw
    /// As raw, and what is printed is left alone, too: lines end with `\r\n`.
    case binary
}

/// How many characters a terminal has.
public struct TerminalSize: Hashable, Sendable {
    /// Characters in a line.
    public var columns: Int
    /// Lines.
    public var rows: Int

    /// A size in characters, for tests.
    public init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}

/// A terminal.
///
/// libuv opens the terminal anew, so that the descriptor that it is made from, and the programs that share it, stay blocking. Where
/// the terminal has no name to open it by, or may not be opened, that descriptor is used itself: writes block the loop's thread then,
/// and so may all who share it, until the handle is closed.
///
/// A terminal in another mode than `.normal` gets its earlier settings back when the handle closes, when the process exits or is
/// ended by a signal that nobody watches, and while it is stopped (SIGTSTP); it has the mode again when it goes on. Only SIGKILL
/// and `_exit` leave it as it is, and SIGSTOP as long as the process is stopped.
public final class TTYHandle: StreamHandle {
    /// The handle whose settings `uv_tty_reset_mode` gives back: the first that has changed its mode.
    private enum First { case none, open, closed }
    private static let first = Mutex(First.none)

    /// The mode that was set last.
    public private(set) var mode = TerminalMode.normal
    /// The number of the settings that are given back.
    private var kept: CInt?
    private var isFirst = false
    /// Whether the other side has gone.
    private var hasHungUp = false
    /// The flags of an open file that others share.
    private var sharedFlags: CInt?
    private var raw: UnsafeMutablePointer<uv_tty_t> { unsafe memory.assumingMemoryBound(to: uv_tty_t.self) }

    /// Creates a handle for a terminal.
    ///
    /// - Parameter descriptor: Stays the caller's, and can be closed.
    /// - Throws: ``UVError`` with `.notTerminal`, `.tooManyOpenFiles`.
    ///
    /// Calls `uv_tty_init`.
    public init(
        on loop: Loop, _ descriptor: FileDescriptor, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let subject = "descriptor \(descriptor.rawValue)"
        guard Kind(guessedFor: descriptor) == .terminal else {
            throw UVError(.notTerminal, in: "terminal creation", of: subject)
        }
        // libuv puts the new open file into the number that it is given.
        let duplicate = cplatform_duplicate(descriptor.rawValue)
        try checkSystem(duplicate, "terminal creation", of: subject)
        let flags = fcntl(duplicate, F_GETFL)
        do {
            unsafe try super.init(on: loop, as: uv_tty_t.self, "terminal creation", of: subject, file, line) {
                unsafe uv_tty_init(loop.raw, $0, duplicate, 0)
            }
        } catch {
            FileDescriptor(rawValue: duplicate).closeIgnoringErrors()
            throw error
        }
        if try fileDescriptor.rawValue == duplicate {
            sharedFlags = flags
        } else {
            FileDescriptor(rawValue: duplicate).closeIgnoringErrors()
        }
    }

    /// Sets the mode. Waits, with the loop's thread, until the terminal has shown what was written.
    ///
    /// - Throws: ``UVError`` with `.ioError` when the terminal is gone, `.tooManyOpenFiles`.
    ///
    /// Calls `uv_tty_set_mode`.
    public func setMode(_ mode: TerminalMode) throws(UVError) {
        try checkOpen("setMode")
        if mode == self.mode { return }
        if kept == nil {
            let number = cplatform_keep_terminal(try fileDescriptor.rawValue)
            try checkSystem(number, "setMode", of: "a terminal")
            kept = number
        }
        let status = unsafe uv_tty_set_mode(raw, mode.number)
        if status < 0 {
            if self.mode == .normal { release() }
            try check(status, "setMode", of: "a terminal")
        }
        self.mode = mode
        if mode == .normal {
            release()
        } else if let kept {
            cplatform_note_terminal(kept)
            becomeFirst()
        }
    }

    private func release() {
        if let number = kept.take() { cplatform_release_terminal(number) }
    }

    private func becomeFirst() {
        Self.first.withLock { first in
            if first == .none {
                first = .open
                isFirst = true
            }
        }
    }

    /// How many characters the terminal has; 0 where it does not know.
    ///
    /// - Throws: ``UVError`` with `.ioError` when the terminal is gone.
    ///
    /// Calls `uv_tty_get_winsize`.
    public var size: TerminalSize {
        get throws(UVError) {
            try checkOpen("size")
            var columns: CInt = 0
            var rows: CInt = 0
            try check(unsafe uv_tty_get_winsize(raw, &columns, &rows), "size", of: "a terminal")
            return TerminalSize(columns: Int(columns), rows: Int(rows))
        }
    }

    /// Gives all terminals whose modes were changed their earlier settings, for a program that is about to end without `exit`.
    /// On any thread. The handles do not know.
    ///
    /// Calls `uv_tty_reset_mode`.
    public static func resetModes() {
        cplatform_restore_terminals()
        // libuv does not forget the descriptor of a handle that is closed.
        first.withLock { if $0 == .open { uv_tty_reset_mode() } }
    }

    override var noun: String { "terminal" }

    /// A read takes 4,095 bytes at the most, and what follows is on its way to the terminal's buffer: only a read tells.
    override func mayHaveMoreAtHangUp() -> Bool {
        hasHungUp = true
        return true
    }

    override func isHangUpError(_ status: CInt) -> Bool { hasHungUp && status == UV_EIO.rawValue }

    override func willClose() {
        super.willClose()
        if mode != .normal { unsafe uv_tty_set_mode(raw, TerminalMode.normal.number) }
        mode = .normal
        release()
        if isFirst { Self.first.withLock { $0 = .closed } }
        if let sharedFlags, let descriptor = try? fileDescriptor.rawValue {
            _ = fcntl(descriptor, F_SETFL, sharedFlags)
        }
    }
}

extension TerminalMode {
    fileprivate var number: uv_tty_mode_t {
        switch self {
        case .normal: UV_TTY_MODE_NORMAL
        case .raw: UV_TTY_MODE_RAW
        case .binary: UV_TTY_MODE_IO
        }
    }
}
