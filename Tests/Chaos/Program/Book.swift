import CChaos
import Synchronization
import UV

/// What has begun and has to end exactly once. Whatever breaks a rule ends the process with the seed.
final class Book: Sendable {
    private let pending = Mutex<[Int: String]>([:])
    private let numbers = Atomic<Int>(0)

    /// How many operations have ended.
    let ended = Atomic<Int>(0)

    /// How many operations of each kind have gone well, in all rounds.
    private static let successes = Mutex<[String: Int]>([:])

    static func wentWell(_ kind: String) { successes.withLock { $0[kind, default: 0] += 1 } }

    /// Says so, for people: a kind that never goes well tests nothing.
    static func printSuccesses() {
        let all = successes.withLock { $0.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } }
        if !all.isEmpty { print("went well: \(all.joined(separator: ", "))") }
    }

    private static let current = Mutex<Book?>(nil)

    init() { Self.current.withLock { $0 = self } }

    /// Says what has not ended, when the process hangs.
    static func printPending() {
        let pending = current.withLock { $0 }?.pending.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } ?? []
        print("not ended: \(pending.joined(separator: "; "))")
    }

    func expect(_ what: @autoclosure () -> String) -> Ticket {
        let number = numbers.add(1, ordering: .relaxed).newValue
        let what = what()
        pending.withLock { $0[number] = what }
        return Ticket(self, number, what)
    }

    fileprivate func remove(_ number: Int) -> Bool { pending.withLock { $0.removeValue(forKey: number) != nil } }

    /// Fails if something has not ended.
    func checkAllEnded() {
        let left = pending.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
        if !left.isEmpty { fail("never ended: \(left.prefix(10).joined(separator: "; "))") }
    }
}

@_cdecl("chaos_print_pending")
func printPending() { Book.printPending() }

/// One operation that has begun.
final class Ticket: Sendable {
    private let book: Book
    private let number: Int
    private let what: String

    fileprivate init(_ book: Book, _ number: Int, _ what: String) {
        self.book = book
        self.number = number
        self.what = what
    }

    /// The operation has ended.
    func end(_ error: (any Error)? = nil) {
        guard book.remove(number) else { fail("ended twice, or after it was called off: \(what)") }
        book.ended.add(1, ordering: .relaxed)
        inspect(error, what)
    }

    /// The operation was refused or taken back: it must not end any more.
    func callOff() {
        guard book.remove(number) else { fail("ended although it was refused: \(what)") }
    }
}

/// Errors that nobody above system calls may see.
func inspect(_ error: (any Error)?, _ what: @autoclosure () -> String) {
    guard let error = error as? UVError else { return }
    if error.code == .interrupted { fail("\(what()): \(error)") }
    if error.operation.isEmpty { fail("\(what()): an error without an operation, \(error)") }
}

func fail(_ text: String) -> Never { unsafe chaos_fail(text) }

func remember(_ text: String) { unsafe chaos_note(text) }

/// Bytes in one direction, which are checked where they come out.
final class Flow {
    let name: UInt8
    /// How many bytes have been given to the system or a queue.
    var sent: UInt64 = 0
    var received: UInt64 = 0
    /// Whether bytes may be missing at the end: the sender has dropped some.
    var mayBeCut = false

    init(_ name: UInt8) { self.name = name }

    func nextBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        unsafe bytes.withUnsafeMutableBufferPointer { unsafe chaos_fill($0.baseAddress, $0.count, name, sent) }
        return bytes
    }

    func arrived(_ bytes: Span<UInt8>, _ what: String) {
        let wrong = unsafe bytes.withUnsafeBufferPointer {
            unsafe chaos_check($0.baseAddress, $0.count, name, received)
        }
        if wrong >= 0 { fail("\(what): byte \(received + UInt64(wrong)) of stream \(name) is wrong") }
        received += UInt64(bytes.count)
        if received > sent { fail("\(what): \(received) bytes of \(sent)") }
    }

    func ended(_ what: String) {
        if received != sent, !mayBeCut { fail("\(what): a clean end after \(received) of \(sent) bytes") }
    }
}
