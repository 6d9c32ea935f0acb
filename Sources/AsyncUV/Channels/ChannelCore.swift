internal import DequeModule
internal import UV

/// An element in a channel. The rest of the channel is not generic, because code that does not know its types at compile time looks
/// them up at each step: 800 ns for an element.
@usableFromInline
final class Parcel<Element: Sendable>: Sendable {
    @usableFromInline let element: Element

    @inlinable
    init(_ element: Element) { self.element = element }
}

/// Any ``Parcel``.
@usableFromInline typealias AnyParcel = AnyObject & Sendable

/// The part of ``Channel`` that lives on its loop's thread.
///
/// Nobody waits to take while there is an element, and nobody waits to send while there is room: so neither can overtake. A task that
/// gives up leaves its line; a task that was resumed has its element, even if it is cancelled before it runs.
final class ChannelCore {
    private let capacity: Int
    private var parcels: Deque<any AnyParcel> = []
    private var senders = WaitLine<Void, any AnyParcel>()
    private var takers = WaitLine<(any AnyParcel)?, Void>()
    private var isFinished = false

    init(capacity: Int) { self.capacity = capacity }

    // MARK: Sending

    /// - Returns: Whether a task has got the element, or there was room for it; `nil` when the channel is finished.
    func give(_ parcel: any AnyParcel) -> Bool? {
        if isFinished { return nil }
        if let taker = takers.popFirst() {
            taker.wait.finish(.success(parcel))
        } else if parcels.count < capacity {
            parcels.append(parcel)
        } else {
            return false
        }
        return true
    }

    /// - Parameter over: Makes the error of a channel that is finished.
    func give(_ parcel: any AnyParcel, _ wait: Wait<Void>, over: () -> UVError) {
        switch give(parcel) {
        case true?: wait.finish(.success(()))
        case nil: wait.finish(.failure(over()))
        case false?:
            senders.append(wait, parcel)
            wait.onCancel = { [self, unowned wait] in senders.remove(wait) }
        }
    }

    // MARK: Taking

    /// - Returns: `nil` when there is nothing to take.
    func take() -> (any AnyParcel)? {
        let first = parcels.popFirst()
        guard let sender = senders.popFirst() else { return first }
        sender.wait.finish(.success(()))
        guard let first else { return sender.load }
        parcels.append(sender.load)
        return first
    }

    func take(_ wait: Wait<(any AnyParcel)?>) {
        let parcel = take()
        if parcel != nil || isFinished { return _ = wait.finish(.success(parcel)) }
        takers.append(wait, ())
        wait.onCancel = { [self, unowned wait] in takers.remove(wait) }
    }

    // MARK: The end

    /// - Parameter over: Makes the error for those that wait to send.
    func finish(over: () -> UVError) {
        isFinished = true
        while let sender = senders.popFirst() { sender.wait.finish(.failure(over())) }
        while let taker = takers.popFirst() { taker.wait.finish(.success(nil)) }
    }
}
