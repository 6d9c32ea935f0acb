import Foundation
import Testing
import UV

struct FileTimeTests {
    @Test("Nanoseconds that make seconds, also before 1970; nothing wraps")
    func normalizes() {
        #expect(FileTime(seconds: 1, nanoseconds: 2_500_000_000) == FileTime(seconds: 3, nanoseconds: 500_000_000))
        let before = FileTime(seconds: 0, nanoseconds: -1)
        #expect(before.seconds == -1 && before.nanoseconds == 999_999_999 && before < FileTime(seconds: 0))
        #expect(FileTime(seconds: .max, nanoseconds: .max).seconds == .max)
        #expect(FileTime(seconds: .min, nanoseconds: .min).seconds == .min)
        #expect(FileTime(seconds: .min, nanoseconds: -1).seconds == .min)
        #expect(FileTime(seconds: -1, nanoseconds: -1_000_000_000) == FileTime(seconds: -2))
    }

    @Test("To a date and back", arguments: [0, 1.5, -1.5, 1_700_000_000.25, -0.000_001])
    func dates(_ interval: Double) {
        let time = FileTime(timeIntervalSince1970: interval)
        #expect(abs(time.timeIntervalSince1970 - interval) < 1e-9)
        #expect(Date(timeIntervalSince1970: time.timeIntervalSince1970) == Date(timeIntervalSince1970: interval))
    }

    @Test("What there is no room for", arguments: [.infinity, 1e300, -1e300, -.infinity] as [Double])
    func outOfRange(_ interval: Double) {
        #expect(FileTime(timeIntervalSince1970: interval).seconds == (interval < 0 ? .min : .max))
    }
}
