import Testing

@testable import Readiness

/// Time-outs in the units of the system calls: rounded up, never early, never out of range.
@Suite struct DurationTests {
    @Test(
        arguments: [
            (nil, -1, -1), (.seconds(-5), 0, 0), (.zero, 0, 0), (.nanoseconds(1), 1, 1), (.milliseconds(2), 2, 2000),
            (.microseconds(2001), 3, 2001), (.seconds(3), 3000, 3_000_000),
            (.seconds(Int64.max), CInt.max, 31_536_000_000_000), (.seconds(3_000_000), CInt.max, 3_000_000_000_000),
        ] as [(Duration?, CInt, Int64)])
    func roundsUp(_ timeout: Duration?, milliseconds: CInt, microseconds: Int64) {
        #expect(timeout.pollMilliseconds == milliseconds)
        #expect(timeout.selectMicroseconds == microseconds)
    }
}
