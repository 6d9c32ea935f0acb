import Readiness

extension Socket {
    /// Receives until the peer has finished.
    func receiveAll() throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case .bytes(let count) = try receive(into: &buffer) { all += buffer[0..<count] }
        return all
    }

    /// Receives exactly so many bytes, fewer only when the peer finishes.
    func receive(count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            var buffer = [UInt8](repeating: 0, count: count - all.count)
            guard case .bytes(let count) = try receive(into: &buffer) else { break }
            all += buffer[0..<count]
        }
        return all
    }

    func send(_ text: String) throws { try sendAll(Array(text.utf8)) }
}

/// Bytes in which every loss, repetition or exchange shows: blocks of a prime length, each begins with its number.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    let block = (0..<min(count, 4093)).map { UInt8(truncatingIfNeeded: ($0 + seed) &* 31) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + block.count)
    while bytes.count < count {
        let number = bytes.count / 4093
        bytes += block
        if count > 4093 { for shift in 0..<3 { bytes[number * 4093 + shift] = UInt8(number >> (shift * 8) & 255) } }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}
