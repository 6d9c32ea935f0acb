internal import CPlatform

/// Addresses of code, innermost first: where something was made, where a task waits. Their names are looked up when somebody reads
/// them.
public struct Trail: Sendable {
    private let addresses: [UInt]

    package init(_ addresses: [UInt]) { self.addresses = addresses }

    package static let none = Self([])

    /// Whether nothing is known.
    public var isEmpty: Bool { addresses.isEmpty }

    /// The functions with file and line where the debug information has them: `handle(_:) at Server.swift:42`. Those of the Swift
    /// runtime, of libuv and thunks are left out, and of this library's only the one that the user has called is shown.
    ///
    /// It reads the program's symbols, which takes some milliseconds at the first time.
    public var lines: [String] {
        let named = symbols.filter { !$0.isSystems }
        let inside = named.prefix { $0.isOurs }.count
        let end = (named.lastIndex { !$0.isOurs } ?? named.count - 1) + 1
        return named[..<end].dropFirst(max(0, inside - 1)).map(\.text)
    }

    /// All functions, those of libraries and thunks as well.
    public var allLines: [String] { symbols.map(\.text) }

    /// The innermost function that is not this library's.
    public var place: String? {
        let named = symbols.filter { !$0.isSystems }
        return named.first { !$0.isOurs }?.text
    }

    /// Looks up the names of many at once.
    static func lookUp(_ trails: [Self]) {
        let addresses = Set(trails.flatMap(\.addresses))
        if !addresses.isEmpty { _ = Symbols.look(up: Array(addresses)) }
    }

    private var symbols: [Symbols.Symbol] { Symbols.look(up: addresses).flatMap { $0 } }
}

extension Trail: Hashable {}

extension Trail {
    /// The calling thread's callers, and where its task's callers go on.
    static func capture() -> (trail: Trail, task: String?) {
        unsafe withUnsafeTemporaryAllocation(of: UInt.self, capacity: 2 * Int(cplatform_most_frames)) { frames in
            guard let base = frames.baseAddress else { return (.none, nil) }
            let most = CInt(cplatform_most_frames)
            let count = unsafe Int(cplatform_backtrace(base, most))
            var name = [CChar](repeating: 0, count: 64)
            let more = unsafe max(0, Int(cplatform_current_task(base + count, most, &name, name.count)))
            let trail = unsafe Trail(Array(frames[..<(count + more)]))
            return (trail, String(cName: name))
        }
    }
}

extension String {
    /// A name that ends at a NUL; `nil` for an empty one.
    init?(cName: [CChar]) {
        let bytes = cName.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        if bytes.isEmpty { return nil }
        self = String(decoding: bytes, as: UTF8.self)
    }
}
