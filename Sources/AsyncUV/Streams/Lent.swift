internal import Synchronization

/// Hands an array over to another piece of code without a copy: whoever takes it is its only owner.
final class Lent: Sendable {
    private let bytes: Mutex<[UInt8]>

    init(_ bytes: consuming [UInt8]) { self.bytes = Mutex(bytes) }

    func give(_ bytes: consuming [UInt8]) {
        let given = bytes
        self.bytes.withLock { $0 = given }
    }

    func take() -> [UInt8] {
        bytes.withLock { bytes in
            var taken: [UInt8] = []
            swap(&taken, &bytes)
            return taken
        }
    }
}
