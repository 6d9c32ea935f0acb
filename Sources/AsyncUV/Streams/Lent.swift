internal import Synchronization

/// Hands an array over to another piece of code without a copy: whoever takes it is its only owner.
final class Lent: Sendable {
    private let bytes: Mutex<[UInt8]>

    init(_ bytes: consuming [UInt8]) { self.bytes = Mutex(bytes) }

    func take() -> [UInt8] {
        bytes.withLock { bytes in
            var taken: [UInt8] = []
            swap(&taken, &bytes)
            return taken
        }
    }
}
