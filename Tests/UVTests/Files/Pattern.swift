import Foundation
import TestSupport

/// Bytes for transfers: what is lost, repeated or out of order shows.
func pattern(count: Int, from start: Int = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
        let offset = (start + bytes.count) % period.count
        bytes += period[offset...].prefix(count - bytes.count)
    }
    return bytes
}

/// No power of two, which buffers are.
private let period: [UInt8] = {
    var random = SeededGenerator(seed: 1)
    return (0..<65_521).map { _ in UInt8.random(in: .min ... .max, using: &random) }
}()

/// Compares without printing megabytes, and fast without optimization too.
func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    unsafe first.count == second.count && memcmp(first, second, first.count) == 0
}
