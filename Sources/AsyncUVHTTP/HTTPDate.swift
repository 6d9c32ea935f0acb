internal import AsyncUV
internal import Synchronization
internal import UV

/// Dates as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`. Seconds count from the start of 1970.
public enum HTTPDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    // MARK: Writing

    /// The date as text, in the usual form.
    ///
    /// - Parameter seconds: What is not of the years 1 to 9999 becomes their first or last second.
    public static func text(_ seconds: Int64) -> String {
        let seconds = min(max(seconds, -62_135_596_800), 253_402_300_799)
        let day = floorDivided(seconds, by: 86_400)
        let time = Int(seconds - day * 86_400)
        let date = date(ofDay: day)
        var text = ""
        // 1 January 1970 was a Thursday.
        text += weekdays[Int((day + 4) - floorDivided(day + 4, by: 7) * 7)]
        text += ", \(twoDigits(date.day)) \(months[date.month - 1]) "
        text += "\(twoDigits(date.year / 100))\(twoDigits(date.year % 100)) "
        text += "\(twoDigits(time / 3_600)):\(twoDigits(time / 60 % 60)):\(twoDigits(time % 60)) GMT"
        return text
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The field with the present, with the end of its line; written once a second.
    static var field: [UInt8] {
        lastWritten.withLock { last in
            last.update()
            return last.field
        }
    }

    /// The present, as text; written once a second.
    package static var present: String {
        lastWritten.withLock { last in
            last.update()
            return last.text
        }
    }

    private struct Written {
        var second = Int64.min
        var text = ""
        var field: [UInt8] = []

        mutating func update() {
            let now = FileTime.now.seconds
            if second == now { return }
            text = HTTPDate.text(now)
            field = Array("Date: \(text)\r\n".utf8)
            second = now
        }
    }

    private static let lastWritten = Mutex(Written())

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

    /// The second that a text names, in the usual form or one of the two obsolete ones that have to be understood, too; nothing for what is
    /// no date: fields with it are ignored. The name of the day is not compared with the day.
    public static func seconds(_ text: String) -> Int64? {
        guard text.utf8.count <= 40 else { return nil }
        var words = text.split(separator: " ")
        guard let weekday = words.first else { return nil }
        switch (words.count, weekday.last) {
        case (6, ","):  // Sun, 06 Nov 1994 08:49:37 GMT
            guard weekdays.contains(String(weekday.dropLast())), words[5] == "GMT", words[3].utf8.count == 4 else {
                return nil
            }
            return seconds(year: words[3], words[2], words[1], words[4])
        case (4, ","):  // Sunday, 06-Nov-94 08:49:37 GMT
            let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard isWeekday(weekday.dropLast()), parts.count == 3, words[3] == "GMT", parts[2].utf8.count == 2,
                let short = number(parts[2])
            else { return nil }
            // What would be more than fifty years ahead is of the last century.
            let now = date(ofDay: floorDivided(FileTime.now.seconds, by: 86_400)).year
            var year = now / 100 * 100 + short
            if year > now + 50 { year -= 100 }
            return seconds(year: Substring("\(year)"), parts[1], parts[0], words[2])
        case (5, _):  // Sun Nov  6 08:49:37 1994
            guard weekdays.contains(String(weekday)), words[4].utf8.count == 4 else { return nil }
            if words[2].utf8.count == 1 { words[2] = "0" + words[2] }
            return seconds(year: words[4], words[1], words[2], words[3])
        default: return nil
        }
    }

    private static func isWeekday(_ name: Substring) -> Bool {
        ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"].contains(String(name))
    }

    private static func number(_ text: Substring) -> Int? { text.utf8.allSatisfy(\.isDigit) ? Int(text) : nil }

    private static func seconds(
        year: Substring, _ month: Substring, _ day: Substring, _ time: Substring
    ) -> Int64? {
        let parts = time.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, (parts + [day]).allSatisfy({ $0.utf8.count == 2 }), let year = number(year),
            let month = months.firstIndex(of: String(month)), let day = number(day), let hour = number(parts[0]),
            let minute = number(parts[1]), let second = number(parts[2]), hour < 24, minute < 60, second <= 60
        else { return nil }
        let number = dayNumber(year, month + 1, day)
        // A day that the month does not have is one of the next month.
        guard day > 0, date(ofDay: number) == (year, month + 1, day) else { return nil }
        return number * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// The reverse of ``date(ofDay:)``.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = floorDivided(Int64(year), by: 400)
        let yearOfEra = year - Int(era) * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + Int64(yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear) - 719_468
    }
}
