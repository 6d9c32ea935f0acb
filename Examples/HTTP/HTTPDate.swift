public import Foundation
internal import Synchronization

/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map { Array($0.utf8) }
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ].map { Array($0.utf8) }

    /// - Parameter seconds: Since the start of 1970; what is not of the years 1 to 9999 becomes their first or last second.
    public static func text(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, -62_135_596_800), 253_402_300_799)
        let (day, time) = (floorDivided(seconds, by: 86_400), Int(seconds - floorDivided(seconds, by: 86_400) * 86_400))
        let date = date(ofDay: day)
        var text: [UInt8] = []
        text.reserveCapacity(29)
        // 1 January 1970 was a Thursday.
        text += weekdays[Int((day + 4) - floorDivided(day + 4, by: 7) * 7)]
        text += [UInt8(ascii: ","), .space]
        append(date.day, to: &text)
        text.append(.space)
        text += months[date.month - 1]
        text.append(.space)
        append(date.year / 100, to: &text)
        append(date.year % 100, to: &text)
        text.append(.space)
        append(time / 3_600, to: &text)
        text.append(UInt8(ascii: ":"))
        append(time / 60 % 60, to: &text)
        text.append(UInt8(ascii: ":"))
        append(time % 60, to: &text)
        text += [.space, UInt8(ascii: "G"), UInt8(ascii: "M"), UInt8(ascii: "T")]
        return String(decoding: text, as: UTF8.self)
    }

    public static func text(_ date: Date) -> String {
        text(Int64(date.timeIntervalSince1970.rounded(.down)))
    }

    /// The present, written once a second.
    public static var now: String {
        let second = Int64(Date.now.timeIntervalSince1970.rounded(.down))
        return lastNow.withLock { last in
            if last.second != second { last = (second, text(second)) }
            return last.text
        }
    }

    private static let lastNow = Mutex((second: Int64.min, text: ""))

    private static func append(_ number: Int, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0") + UInt8(number / 10))
        text.append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    /// Of the Gregorian calendar. Years begin with March here, so that the leap day is a year's last.
    private static func date(ofDay day: Int64) -> (year: Int, month: Int, day: Int) {
        // Days since 1 March of the year 0, in eras of 400 years.
        let days = day + 719_468
        let era = floorDivided(days, by: 146_097)
        let dayOfEra = Int(days - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (
            Int(era) * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1
        )
    }

    private static func floorDivided(_ number: Int64, by divisor: Int64) -> Int64 {
        number / divisor - (number % divisor < 0 ? 1 : 0)
    }

    // MARK: Reading

    /// The usual form, and the two obsolete ones that have to be understood, too.
    private static let styles = [
        style("\(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \(year: .padded(4)) \(time) GMT"),
        style("\(weekday: .wide), \(day: .twoDigits)-\(month: .abbreviated)-\(year: .twoDigits) \(time) GMT"),
        style("\(weekday: .abbreviated) \(month: .abbreviated) \(day: .defaultDigits) \(time) \(year: .padded(4))"),
    ]

    private static func style(_ format: Date.FormatString) -> Date.VerbatimFormatStyle {
        Date.VerbatimFormatStyle(
            format: format, locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt,
            calendar: Calendar(identifier: .gregorian))
    }

    /// `nil` for what is no date: fields with it are ignored.
    public static func date(_ text: String) -> Date? {
        guard text.utf8.count <= 40 else { return nil }
        return styles.lazy.compactMap { try? $0.parseStrategy.parse(text) }.first
    }
}

extension Date.FormatString.StringInterpolation {
    /// The time of a day.
    fileprivate mutating func appendInterpolation(_ time: Time) {
        appendInterpolation(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased))
        appendLiteral(":")
        appendInterpolation(minute: .twoDigits)
        appendLiteral(":")
        appendInterpolation(second: .twoDigits)
    }
}

private struct Time {}
private let time = Time()
