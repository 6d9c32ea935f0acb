/// Waits until one of many descriptors is ready: ``SelectPoller``, ``PollPoller``, ``EpollPoller``.
///
/// A poller belongs to one thread at a time; its ``waker`` is the way in for others. It watches descriptors but
/// does not own them: take one out *before* it is closed, because the kernel gives its number to the next one.
///
/// All three tell the same, but for two things. Select knows neither `hungUp` nor `failed`, and so tells nothing about a
/// descriptor that is watched for `[]`. And they answer differently to bad descriptors:
///
/// | | select | poll | epoll |
/// |---|---|---|---|
/// | negative or closed, when added | EBADF | EBADF | EBADF |
/// | added twice / never added | EEXIST / ENOENT | EEXIST / ENOENT | EEXIST / ENOENT |
/// | closed while it is watched | `.invalid` event | `.invalid` event | silence, see ``EpollPoller`` |
/// | so closed, and the number used again | the new one is watched | the new one is watched | silence; `add` watches it |
/// | regular file, directory | always ready | always ready | EPERM |
/// | 1,024 and more | EINVAL in `FD_SET` | works | works |
public protocol Poller: ~Copyable {
    /// A poller that watches nothing yet.
    ///
    /// - Throws: ``SystemError`` when the kernel has no descriptor left for it.
    init() throws(SystemError)

    /// Ends a wait from another thread.
    var waker: Waker { get }

    /// Starts to watch a descriptor.
    ///
    /// - Throws: ``SystemError``, as in the table above; then nothing has changed.
    mutating func add(_ descriptor: CInt, _ interest: Interest) throws(SystemError)

    /// Replaces what a descriptor is watched for. With `[]` it stays known and silent, but for `hungUp` and `failed`
    /// (poll and epoll always tell these).
    mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError)

    /// Stops watching a descriptor.
    mutating func remove(_ descriptor: CInt) throws(SystemError)

    /// Waits until something is ready, at most `timeout` and never less; `nil` waits for ever, zero or less only looks.
    ///
    /// May return early with nothing: a wake-up, a signal. So wait in a loop and keep your own deadline.
    /// It fills an array instead of calling a closure so that the caller may add and remove meanwhile.
    ///
    /// - Parameter events: Replaced by what is ready; its memory is used again.
    mutating func wait(upTo timeout: Duration?, into events: inout [ReadyEvent]) throws(SystemError)
}

extension Poller where Self: ~Copyable {
    /// Waits, and returns what is ready in a new array.
    public mutating func wait(upTo timeout: Duration? = nil) throws(SystemError) -> [ReadyEvent] {
        var events: [ReadyEvent] = []
        try wait(upTo: timeout, into: &events)
        return events
    }
}
