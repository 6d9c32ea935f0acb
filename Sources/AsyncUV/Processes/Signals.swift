public import UV

/// The signals that come to the process, as a sequence that never ends.
///
/// ```swift
/// for try await signal in try await Signals.watch(.interrupt, .terminate) { … }
/// ```
///
/// From its creation on the signals do not have their own action; with the last reference it stops, and they have it
/// again. Signals of one kind that come faster than they are taken count as one; after the last of them there is one to take.
public final class Signals: AsyncSequence, Sendable {
    public typealias Element = Signal

    private let loop: EventLoop
    private let core: LoopBound<SignalsCore>

    private init(_ core: SignalsCore, on loop: EventLoop) {
        self.loop = loop
        self.core = LoopBound(core)
    }

    /// Watches for signals.
    ///
    /// - Throws: ``UVError`` with `.invalidArgument` for none, a number that is no signal, SIGKILL and SIGSTOP;
    ///   `.canceled` when the loop ends.
    ///
    /// Cancellation: none; it does not wait.
    ///
    /// Calls `uv_signal_start`.
    public static func watch(_ signals: Signal..., on loop: EventLoop = .current ?? .shared) async throws -> Signals {
        if signals.isEmpty { throw UVError(.invalidArgument, in: "signal watch", of: "no signals") }
        return try await loop.making("signal watch") { callbackLoop in
            return Signals(try SignalsCore(signals, on: callbackLoop), on: loop)
        }
    }

    deinit {
        let core = core
        let loop = loop
        if loop.isCurrent { core.open(on: loop).close() } else { loop.post { core.open(on: loop).close() } }
    }

    /// Waits for the next signal.
    ///
    /// - Throws: `CancellationError`, or ``UVError`` with `.canceled` when the loop ends.
    ///
    /// Cancellation: no signal is lost.
    public func next() async throws -> Signal {
        try await loop.perform("signal wait") { _, pending in self.core.open(on: self.loop).take(pending) }
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let signals: Signals

        public func next() async throws -> Signal? { try await signals.next() }

        // As in TCPConnection's.
        public nonisolated(nonsending) func next(isolation actor: (any Actor)?) async throws -> Signal? {
            try await next()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(signals: self) }
}
