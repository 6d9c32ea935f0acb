internal import DequeModule
internal import UV

/// What becomes of datagrams for which a queue has no room.
public enum DatagramOverflow: Sendable {
    /// The one that has just come is dropped, as the system does.
    case dropNewest
    /// The one that waits longest is dropped: for news that later news make worthless.
    case dropOldest
}

/// The datagrams that wait for the reader of a sequence. On the loop's thread only.
final class DatagramQueue {
    private let most: Int
    private let limit: Int
    private let overflow: DatagramOverflow
    private var arrived: Deque<Result<Datagram, UVError>> = []
    private var waiting: Deque<Wait<Result<Datagram, UVError>?>> = []
    private(set) var dropCount = 0
    /// How many of those that have arrived are errors. They take no place of a datagram.
    private var errorCount = 0
    private static let mostErrors = 16
    private var hasEnded = false

    init(_ most: Int, upTo limit: Int, _ overflow: DatagramOverflow) {
        self.most = most
        self.limit = limit
        self.overflow = overflow
    }

    /// Takes what is there: no more than one system call gives, so that others get their turn.
    func receive(from handle: UDPHandle) {
        repeat {
            do throws(UVError) {
                guard let datagram = try handle.takeNext(upTo: limit, { Datagram(copying: $0, $1) }) else { return }
                add(.success(datagram))
            } catch { return add(.failure(error)) }
        } while handle.hasAhead
    }

    private func add(_ element: Result<Datagram, UVError>) {
        while let wait = waiting.popFirst() {
            if wait.finish(.success(element)) { return }
        }
        if case .failure = element {
            if errorCount == Self.mostErrors { return }
            errorCount += 1
        } else if arrived.count - errorCount == most {
            dropCount += 1
            if overflow == .dropNewest { return }
            if let oldest = arrived.firstIndex(where: { if case .success = $0 { true } else { false } }) {
                arrived.remove(at: oldest)
            }
        }
        arrived.append(element)
    }

    /// Takes an element that waits; `.none` when none does, an inner `nil` at the end.
    func takeNow() -> Result<Datagram, UVError>?? {
        if let element = arrived.popFirst() {
            if case .failure = element { errorCount -= 1 }
            return element
        }
        return hasEnded ? .some(nil) : nil
    }

    func take(_ wait: Wait<Result<Datagram, UVError>?>) {
        if let element = takeNow() {
            wait.finish(.success(element))
            return
        }
        waiting.append(wait)
        wait.onCancel = { [unowned self, unowned wait] in
            if let index = waiting.firstIndex(where: { $0 === wait }) { waiting.remove(at: index) }
        }
    }

    func end() {
        hasEnded = true
        let ended = waiting
        waiting = []
        for wait in ended { wait.finish(.success(nil)) }
    }
}
