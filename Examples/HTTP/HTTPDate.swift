public import Foundation

/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
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

    public static func text(_ date: Date) -> String { styles[0].format(date) }

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
