internal import AsyncUV
internal import CPlatform
public import UV
internal import UVPlatform

/// Lets a foreign loop drive a ``UV/Loop``: which descriptor to watch, how long to wait, and one turn that never waits.
///
/// The foreign loop does three things, again and again, on the thread of the loop:
///
/// 1. Before it waits, it asks for ``timeout``, each time anew: what code has started meanwhile may be due earlier.
/// 2. It waits until ``descriptor`` is readable, the time is over, or something of its own happens.
/// 3. In the first two cases it calls ``turn()``.
///
/// A foreign loop that cannot ask before it waits calls ``UV/Waker/wake()`` of the ``waker`` after it has used the
/// loop outside of a turn.
///
/// A turn runs what is due and returns; code that keeps the loop busy gets a millisecond or what was ready, then the
/// foreign loop goes on. The loop stays driven until ``close()``, or until it is stopped. In between nobody else may
/// run or close it.
public class LoopDriver {
    /// Readable when the loop has something to do. The same one as long as the driver lives, and open as long; not to
    /// be read.
    public let descriptor: FileDescriptor

    /// Makes ``descriptor`` readable from any thread, so that the foreign loop makes a turn and asks for the timeout
    /// again.
    public let waker: Waker

    /// Whether the loop was stopped, or the driver closed. Then there is nothing to wait for and a turn does nothing.
    public private(set) var hasEnded = false

    /// Called once, after the last turn of a loop that was stopped (``UV/Loop/stop()``) or shut down, with the loop's
    /// own error if it has one. A loop of the callback layer can be run, driven or closed by then. Not called after
    /// ``close()``.
    public var onEnd: ((UVError?) -> Void)?

    let loop: Loop
    private let driven: DrivenLoop?
    /// Keeps the loop alive: a loop that is not alive makes no turns, and its descriptor would stay readable for ever.
    private let keeper: WakeupHandle
    private var stops: Int
    private var guest: String?

    /// Prepares a loop of the callback layer to be driven, on the loop's thread.
    ///
    /// - Throws: ``UVError`` with `.resourceBusy` when the loop has a driver already or is running, `.notPermitted`
    ///   when it belongs to an `EventLoop` or is adopted, `.badFileDescriptor` when it is closed, `.tooManyOpenFiles` when there is
    ///   no descriptor left.
    @available(*, noasync, message: "after an await the code may be on another thread; use a DispatchLoopAdapter")
    public convenience init(_ loop: Loop) throws(UVError) { try self.init(loop, nil) }

    init(_ loop: Loop, _ driven: DrivenLoop?) throws(UVError) {
        if loop.isDriven {
            throw UVError(
                .resourceBusy, in: "drive", of: "a loop that has a LoopDriver: use that one, or close it first")
        }
        if loop.isAdopted {
            throw UVError(.notPermitted, in: "drive", of: "an adopted loop, which its owner runs")
        }
        if loop.isRunning {
            throw UVError(.resourceBusy, in: "drive", of: "a running loop: make its driver before it runs")
        }
        if loop.isLent, driven == nil {
            throw UVError(
                .notPermitted, in: "drive", of: "a loop that belongs to an EventLoop: make an EventLoopDriver")
        }
        let keeper = try WakeupHandle(on: loop) { _ in }
        keeper.isInternal = true
        let duplicate = cplatform_duplicate(loop.backendFileDescriptor.rawValue)
        guard duplicate >= 0 else {
            let code = UVError.Code(rawValue: -errno)
            keeper.close()
            throw UVError(code, in: "drive", of: "a loop whose descriptor is to be duplicated")
        }
        self.loop = loop
        self.driven = driven
        self.keeper = keeper
        waker = keeper.waker
        stops = loop.stops
        descriptor = FileDescriptor(rawValue: duplicate)
        loop.isDriven = true
    }

    deinit {
        if !hasEnded, loop.isHere, !loop.isRunning {
            giveBack()
            try? driven?.finish()
        }
        try? descriptor.close()
    }

    /// How long the foreign loop may wait for ``descriptor``, from now on; `nil` is for ever, which is also the
    /// answer during a turn and after the end. Zero as long as work is left. Whole milliseconds, rounded up.
    ///
    /// Calls `uv_backend_timeout`.
    public var timeout: Duration? { hasEnded || loop.isRunning ? nil : loop.backendTimeout }

    /// Runs what is due, without waiting.
    ///
    /// Inside a turn, when a closure of the loop runs the foreign loop (a modal dialog, say), it does nothing: the
    /// loop goes on when the closure has returned. After the end it does nothing either.
    ///
    /// Calls `uv_run`.
    public final func turn() {
        if hasEnded || loop.isRunning { return }
        do throws(UVError) {
            if let driven {
                let isOver = try driven.turn()
                if driven.isEnding { keeper.keepsLoopAlive = false }
                if isOver { end(nil) }
            } else {
                _ = try loop.turn()
                if loop.stops != stops { end(nil) }
            }
        } catch { end(error) }
    }

    /// Leaves the main actor to an adapter whose own loop runs its code.
    func leaveMainQueue() { driven?.leaveMainQueue() }

    /// Whether a turn is on the stack.
    public var isTurning: Bool { loop.isRunning }

    /// Whether something keeps the loop alive, as ``UV/Loop/isAlive``: false when a loop that runs by itself would
    /// return.
    public var isAlive: Bool {
        if hasEnded { return false }
        if driven != nil { return true }
        keeper.keepsLoopAlive = false
        defer { keeper.keepsLoopAlive = true }
        return loop.isAlive
    }

    /// Ends the driving. A loop of the callback layer goes on as it is when somebody runs or drives it. An
    /// ``EventLoopDriver`` ends its loop, now if no turn is on the stack; that waits for operations on files that
    /// have begun.
    ///
    /// Detach the adapter first, if there is one. A second call does nothing.
    public func close() {
        if hasEnded { return }
        if driven != nil, loop.isRunning { return loop.endRun() }
        onEnd = nil
        end(nil)
    }

    private func end(_ error: UVError?) {
        hasEnded = true
        let call = onEnd
        onEnd = nil
        var error = error
        giveBack()
        do throws(UVError) { try driven?.finish() } catch let own { error = error ?? own }
        // The last line: it may do anything with the loop.
        call?(error)
    }

    private func giveBack() {
        keeper.keepsLoopAlive = false
        let isDry = driven == nil && !loop.isRunning && !loop.isAlive
        loop.isDriven = false
        keeper.close()
        // The loop of somebody who closes it next is closed as well as it was before.
        if isDry { _ = try? loop.turn() }
    }

    // MARK: Adapters

    /// Marks the driver as taken by the one adapter that makes its turns.
    ///
    /// - Parameter adapter: For the error of the next one: `a dispatch queue`.
    /// - Throws: ``UVError`` with `.resourceBusy` when an adapter has it, `.badFileDescriptor` when the loop has ended.
    public final func attach(to adapter: String) throws(UVError) {
        if hasEnded { throw UVError(.badFileDescriptor, in: "attach", of: "a loop that has ended, to \(adapter)") }
        if let guest {
            throw UVError(
                .resourceBusy, in: "attach", of: "a loop that \(guest) drives, to \(adapter): detach it there first")
        }
        guest = adapter
    }

    /// Lets another adapter take the driver. Nobody makes turns until one does.
    public final func detach() { guest = nil }

    /// Whether an adapter has the driver.
    public final var isAttached: Bool { guest != nil }
}

@available(*, unavailable, message: "a driver belongs to its loop's thread; only its waker may go to others")
extension LoopDriver: Sendable {}
