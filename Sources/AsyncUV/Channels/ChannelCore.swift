internal import DequeModule
internal import UV

/// An element in a channel. The rest of the channel is not generic, because generic code that is not specialized looks up its types
/// at each step: 800 ns for an element.
@usableFromInline
final class Parcel<Element: Sendable>: Sendable {
    @usableFromInline let element: Element

    @inlinable
    init(_ element: Element) { self.element = element }
}

/// Any ``Parcel``.
@usableFromInline typealias AnyParcel = AnyObject & Sendable

/// The part of ``LoopChannel`` that lives on its loop's thread.
///
/// Nobody waits to take while there is an element, and nobody waits to send while there is room. Who gives up leaves the line.
final class ChannelCore {
    private let capacity: Int
    private var parcels: Deque<any AnyParcel> = []
    private var senders: Deque<(wait: Wait<Void>, parcel: any AnyParcel)> = []
    private var takers: Deque<Wait<(any AnyParcel)?>> = []
    private var isFinished = false

    init(capacity: Int) { self.capacity = capacity }

    // MARK: Sending

    /// - Returns: Whether somebody has got the element, or there was room for it.
    func give(_ parcel: any AnyParcel) throws(UVError) -> Bool {
        if isFinished { throw Self.isOver }
        if let taker = takers.popFirst() {
            taker.finish(.success(parcel))
        } else if parcels.count < capacity {
            parcels.append(parcel)
        } else {
            return false
        }
        return true
    }

    func give(_ parcel: any AnyParcel, _ wait: Wait<Void>) throws {
        if try give(parcel) { return _ = wait.finish(.success(())) }
        senders.append((wait, parcel))
        wait.onCancel = { [unowned self, unowned wait] in
            if let index = senders.firstIndex(where: { $0.wait === wait }) { senders.remove(at: index) }
        }
    }

    private static var isOver: UVError { UVError(.brokenPipe, in: "send", of: "a channel that is finished") }

    // MARK: Taking

    func take() -> (any AnyParcel)? {
        let first = parcels.popFirst()
        guard let sender = senders.popFirst() else { return first }
        sender.wait.finish(.success(()))
        guard let first else { return sender.parcel }
        parcels.append(sender.parcel)
        return first
    }

    func take(_ wait: Wait<(any AnyParcel)?>) {
        if let parcel = take() { return _ = wait.finish(.success(parcel)) }
        if isFinished { return _ = wait.finish(.success(nil)) }
        takers.append(wait)
        wait.onCancel = { [unowned self, unowned wait] in
            if let index = takers.firstIndex(where: { $0 === wait }) { takers.remove(at: index) }
        }
    }

    // MARK: The end

    func finish() {
        isFinished = true
        let (senders, takers) = (senders, takers)
        self.senders = []
        self.takers = []
        for sender in senders { sender.wait.finish(.failure(Self.isOver)) }
        for taker in takers { taker.finish(.success(nil)) }
    }
}
