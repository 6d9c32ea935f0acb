internal import SystemPackage

/// The selector with the best poller of the system.
public typealias DefaultSelector<Data> = Selector<Data, EpollPoller>

/// Watches descriptors and keeps what belongs to each: Python's `selectors`, with the type of the data checked.
///
/// The data may be a name, a connection, or a function to call:
///
/// ```swift
/// var selector = try DefaultSelector<String>()
/// try selector.register(socket.descriptor, .readable, data: "the socket")
/// for (key, readiness) in try selector.select(timeout: .seconds(1)) { print(key.data, readiness) }
/// ```
///
/// What the backend does with bad descriptors holds here as well: see ``Poller``.
public struct Selector<Data, Backend: Poller & ~Copyable>: ~Copyable {
    private var backend: Backend
    private var keys = DescriptorTable<SelectorKey<Data>>()
    private var events: [ReadyEvent] = []

    /// A selector with nothing registered.
    public init() throws(SystemError) { backend = try Backend() }

    /// Takes a poller that has no descriptors yet.
    public init(backend: consuming Backend) { self.backend = backend }

    /// Ends a ``select(timeout:)`` from another thread.
    public var waker: Waker { backend.waker }

    /// Starts to watch a descriptor.
    @discardableResult
    public mutating func register(_ descriptor: CInt, _ interest: Interest, data: Data) throws(SystemError)
        -> SelectorKey<Data>
    {
        try backend.add(descriptor, interest)
        let key = SelectorKey(descriptor: descriptor, interest: interest, data: data)
        keys[descriptor] = key
        return key
    }

    /// Replaces what a descriptor is watched for and its data.
    @discardableResult
    public mutating func modify(_ descriptor: CInt, _ interest: Interest, data: Data) throws(SystemError)
        -> SelectorKey<Data>
    {
        _ = try key(for: descriptor)
        // Also when the interest stays the same: that arms `once` again, and lets an edge be told anew.
        try backend.modify(descriptor, interest)
        let key = SelectorKey(descriptor: descriptor, interest: interest, data: data)
        keys[descriptor] = key
        return key
    }

    /// Replaces what a descriptor is watched for and keeps its data.
    @discardableResult
    public mutating func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) -> SelectorKey<Data> {
        try modify(descriptor, interest, data: key(for: descriptor).data)
    }

    /// Stops watching, and gives back the data.
    @discardableResult
    public mutating func unregister(_ descriptor: CInt) throws(SystemError) -> SelectorKey<Data> {
        let key = try key(for: descriptor)
        keys[descriptor] = nil
        // Refused for a descriptor that was closed too early. Forgetting it is all that can still be done.
        try? backend.remove(descriptor)
        return key
    }

    /// Waits until something is ready, at most `timeout`: `nil` waits for ever, zero or less only looks.
    /// May return early with nothing.
    public mutating func select(timeout: Duration? = nil) throws(SystemError) -> [Ready] {
        try backend.wait(upTo: timeout, into: &events)
        var ready: [Ready] = []
        ready.reserveCapacity(events.count)
        for event in events {
            if let key = keys[event.descriptor] { ready.append((key, event.readiness)) }
        }
        return ready
    }

    /// What is ready, by its key, and for what.
    public typealias Ready = (key: SelectorKey<Data>, readiness: ReadyEvent.Readiness)

    /// The key of a registered descriptor.
    ///
    /// - Throws: ``SystemError`` with `.noSuchFileOrDirectory`.
    public func key(for descriptor: CInt) throws(SystemError) -> SelectorKey<Data> {
        guard let key = keys[descriptor] else {
            throw SystemError(.noSuchFileOrDirectory, in: "selector", of: "descriptor \(descriptor)")
        }
        return key
    }

    /// All that is registered: a copy.
    public var map: [CInt: SelectorKey<Data>] {
        .init(uniqueKeysWithValues: keys.descriptors.map { ($0, keys[$0]!) })
    }
}

/// What a ``Selector`` knows about a descriptor.
public struct SelectorKey<Data> {
    /// The descriptor that is watched.
    public let descriptor: CInt
    /// What it is watched for.
    public let interest: Interest
    /// What was registered with it.
    public let data: Data
}

extension SelectorKey: Sendable where Data: Sendable {}
