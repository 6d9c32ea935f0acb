internal import CLibuv
internal import Synchronization

/// A request that a thread of libuv's pool works on: see ``FileRequest``, ``WorkRequest``, ``ThreadPool``.
///
/// ``Request/cancel()`` gives it up while it is queued: its closure gets `.canceled`. Once a thread works on it,
/// `cancel()` throws `.resourceBusy` and the request finishes as usual. Until then the request owns the memory that it works
/// with: the bytes to write, or the room to read into.
///
/// A request that is worked on in batches, such as a copy, stops within the batch. Its `cancel()` throws nothing. Nor does that of
/// a request that waits for a pipe: it ends with `.canceled`. One that a thread works on does not begin to wait any more.
public class PoolRequest: Request {
    /// Passed from thread to thread: a store publishes what the thread has done, and a load on another thread sees it.
    private final let turn = Atomic<Int>(0)
    private final var work: (() -> Void)?
    private final var finish: ((_ wasCanceled: Bool) -> Void)?
    private final var queuedAt: UInt64 = 0
    /// How many batches have been done; `nil` for work that is not done in batches.
    final var batchesDone: Int?
    /// Looked at by the thread that works on a batch.
    final let isGivenUp = Atomic<Bool>(false)
    /// What the request waits for before it goes to the pool again: set by the thread that cannot go on.
    final var wait: PoolWait?
    /// The handle that waits, on the loop's thread.
    private final var waiting: Handle?
    private final var isReady = false
    /// Whether it was given up while a thread worked on it.
    private final var isAbandoned = false
    /// The loop's, when the request was made.
    private final let endings: Int

    init(on loop: Loop) {
        endings = loop.endings
        unsafe super.init(on: loop, as: uv_work_t.self)
    }

    /// Gives work to the pool.
    ///
    /// The work runs on a thread of the pool, `finish` later on the loop's thread: with `true` when it was canceled.
    final func begin(
        _ operation: StaticString, work: @escaping () -> Void, finish: @escaping (_ wasCanceled: Bool) -> Void
    ) throws(UVError) {
        self.work = work
        self.finish = finish
        do throws(UVError) { try begin(operation) } catch {
            self.work = nil
            self.finish = nil
            throw error
        }
    }

    /// Gives ``perform()`` to the pool; ``conclude(wasCanceled:)`` follows on the loop's thread.
    final func begin(_ operation: StaticString) throws(UVError) {
        loop.checkThread("\(type(of: self))")
        queuedAt = uv_hrtime()
        turn.store(1, ordering: .releasing)
        ThreadPool.requestQueued()
        do throws(UVError) {
            try start(operation) {
                unsafe uv_queue_work(
                    loop.raw, memory.assumingMemoryBound(to: uv_work_t.self), workOnRequest, requestWorkedOn)
            }
        } catch {
            ThreadPool.requestCanceled()
            throw error
        }
    }

    public override func cancel() throws(UVError) {
        loop.checkThread("\(type(of: self))")
        isGivenUp.store(true, ordering: .relaxed)
        if let waiting { return waiting.close() }
        // Work that has begun must be cleaned up: the next batch does that.
        if let batchesDone, batchesDone > 0 { return }
        do throws(UVError) { try super.cancel() } catch {
            if isUnderWay { abandon() }
            if batchesDone == nil { throw error }
        }
    }

    private final func abandon() {
        if isAbandoned { return }
        isAbandoned = true
        ThreadPool.countAbandoned(1)
    }

    /// The work, on a thread of the pool.
    func perform() { work?() }

    /// Tells the result.
    func conclude(wasCanceled: Bool) {
        work = nil
        finish.take()?(wasCanceled)
    }

    fileprivate func runWork() {
        _ = turn.load(ordering: .acquiring)
        ThreadPool.requestStarted(after: uv_hrtime() - queuedAt)
        perform()
        ThreadPool.requestFinished()
        turn.store(2, ordering: .releasing)
    }

    fileprivate func finished(_ status: CInt) {
        _ = turn.load(ordering: .acquiring)
        if isAbandoned { ThreadPool.countAbandoned(-1) }
        isAbandoned = false
        let wasCanceled = status == UV_ECANCELED.rawValue
        if wasCanceled { ThreadPool.requestCanceled() }
        guard let wait = wait.take(), !wasCanceled else { return conclude(wasCanceled: wasCanceled) }
        if isGivenUp.load(ordering: .relaxed) || endings != loop.endings { return conclude(wasCanceled: true) }
        do throws(UVError) { try begin(wait) } catch { conclude(wasCanceled: true) }
    }

    // MARK: Waiting

    private final func begin(_ wait: PoolWait) throws(UVError) {
        isReady = false
        let handle = try wait.handle(on: loop) { [unowned self] handle in
            isReady = true
            handle.close()
        }
        waiting = handle
        // Whoever closes it: the loop's end as well.
        handle.whenClosed { _ in self.waited() }
    }

    private final func waited() {
        waiting = nil
        guard isReady, !isGivenUp.load(ordering: .relaxed) else { return conclude(wasCanceled: true) }
        do throws(UVError) { try begin("wait") } catch { conclude(wasCanceled: true) }
    }
}

private func workOnRequest(_ raw: UnsafeMutablePointer<uv_work_t>?) {
    let data = unsafe raw.unsafelyUnwrapped.pointee.data.unsafelyUnwrapped
    unsafe Unmanaged<PoolRequest>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.runWork() }
}

private func requestWorkedOn(_ raw: UnsafeMutablePointer<uv_work_t>?, _ status: CInt) {
    let request = unsafe PoolRequest.take(from: raw)
    let loop = request.loop
    request.finished(status)
    loop.callbackEnded()
}
