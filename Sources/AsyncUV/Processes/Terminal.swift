internal import Synchronization
public import UV

/// A terminal: its bytes, keys, mode and size. Dropping the last reference closes it, as ``close()`` does.
///
/// In another mode than `.normal` it gets its earlier settings back when it closes, when the process exits or is ended by a signal
/// that nobody watches, and while the process is stopped (Ctrl-Z in a shell).
///
/// ```swift
/// let terminal = try await Terminal.open()
/// try await terminal.withMode(.raw) {
///     for try await key in terminal.keys() where key != Key.control("c") { print(key) }
/// }
/// ```
public final class Terminal: HandleConnection {
    public typealias Handle = TTYHandle

    public let stream: LoopStream
    /// Keeps the bytes of keys that nobody has taken yet, for all sequences of keys.
    private let decoder = Mutex(KeyDecoder())

    public init(_ handle: TTYHandle, on loop: EventLoop) throws(UVError) { stream = LoopStream(handle, on: loop) }

    deinit { stream.drop() }

    /// For people.
    public var description: String { "terminal" }

    /// Opens the terminal that a descriptor is for, anew: the descriptor stays as it is.
    ///
    /// - Throws: ``UVError`` with `.notTerminal`, as for a file or a pipe; `.tooManyOpenFiles`, `.canceled` when the loop has ended.
    ///
    /// Cancellation: none; it does not wait.
    ///
    /// Calls `uv_tty_init`.
    public static func open(
        _ descriptor: FileDescriptor = .standardInput, on loop: EventLoop = .current ?? .shared
    ) async throws -> Terminal {
        try await loop.making("open") { callbackLoop in
            return try Terminal(try TTYHandle(on: callbackLoop, descriptor), on: loop)
        }
    }

    // MARK: Mode and size

    /// Sets the mode. Waits, with the loop's thread, until the terminal has shown what was written.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.ioError` when the terminal is gone.
    ///
    /// Cancellation: none.
    public func setMode(_ mode: TerminalMode) async throws { try await withHandle { try $0.setMode(mode) } }

    /// The mode that was set last.
    ///
    /// - Throws: ``UVError`` with `.canceled` when the loop has ended.
    ///
    /// Cancellation: none, it does not wait.
    public var mode: TerminalMode {
        get async throws { try await withHandle { $0.mode } }
    }

    /// Sets a mode for a body, and the earlier one again afterwards, whatever happens.
    ///
    /// - Throws: As ``setMode(_:)``, and what the body throws.
    public func withMode<Value>(
        _ mode: TerminalMode, _ body: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        let earlier = try await self.mode
        try await setMode(mode)
        let value: Value
        do { value = try await body() } catch {
            try? await setMode(earlier)
            throw error
        }
        try await setMode(earlier)
        return value
    }

    /// How many characters the terminal has; 0 where it does not know.
    ///
    /// - Throws: ``UVError`` with `.badFileDescriptor` when closed, `.ioError` when the terminal is gone.
    public var size: TerminalSize {
        get async throws { try await withHandle { try $0.size } }
    }

    /// The terminal's size now, and after each change of it.
    ///
    /// It watches SIGWINCH from now on, which comes for the terminal that the process belongs to.
    ///
    /// - Throws: As ``size``.
    ///
    /// Cancellation: `CancellationError` at the next size; other sequences miss none.
    public func sizes() async throws -> Sizes {
        Sizes(terminal: self, signals: try await .watch(.windowChange, on: loop))
    }

    /// The sizes of a terminal, one after the other: see ``Terminal/sizes()``.
    public struct Sizes: AsyncSequence, Sendable {
        public typealias Element = TerminalSize

        let terminal: Terminal
        let signals: Signals

        public struct AsyncIterator: AsyncIteratorProtocol {
            let sizes: Sizes
            var last: TerminalSize?

            public mutating func next() async throws -> TerminalSize? {
                try checkCancellation()
                while true {
                    if last != nil { _ = try await sizes.signals.next() }
                    let size = try await sizes.terminal.size
                    if size == last { continue }
                    last = size
                    return size
                }
            }

            // As in TCPConnection's.
            public nonisolated(nonsending) mutating func next(
                isolation actor: (any Actor)?
            ) async throws -> TerminalSize? { try await next() }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(sizes: self) }
    }

    // MARK: Keys

    /// The keys that are pressed, for the modes `.raw` and `.binary`; it ends with the terminal.
    ///
    /// Most keys that are no characters come as several bytes, the first of which is that of Escape.
    ///
    /// - Parameter escapeDelay: How long to wait for the others before Escape is taken for itself.
    ///
    /// Cancellation: `CancellationError` at the next key, also at one that is there already; the next sequence gets it, and the
    /// bytes of a key that has not come as a whole.
    public func keys(escapeDelay: Duration = .milliseconds(50)) -> Keys {
        Keys(terminal: self, escapeDelay: escapeDelay)
    }

    /// The keys that are pressed: see ``Terminal/keys(escapeDelay:)``.
    public struct Keys: AsyncSequence, Sendable {
        public typealias Element = Key

        let terminal: Terminal
        let escapeDelay: Duration

        public struct AsyncIterator: AsyncIteratorProtocol {
            let keys: Keys

            public mutating func next() async throws -> Key? {
                try checkCancellation()
                let terminal = keys.terminal
                while true {
                    if let key = terminal.decoder.withLock({ $0.next() }) { return key }
                    let isIncomplete = terminal.decoder.withLock { $0.isIncomplete }
                    do {
                        guard let bytes = try await terminal.read(timeout: isIncomplete ? keys.escapeDelay : nil) else {
                            if !isIncomplete { return nil }
                            terminal.decoder.withLock { $0.flush() }
                            continue
                        }
                        terminal.decoder.withLock { $0.append(bytes) }
                    } catch UVError.Code.timedOut {
                        terminal.decoder.withLock { $0.flush() }
                    }
                }
            }

            // As in TCPConnection's.
            public nonisolated(nonsending) mutating func next(isolation actor: (any Actor)?) async throws -> Key? {
                try await next()
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(keys: self) }
    }
}
