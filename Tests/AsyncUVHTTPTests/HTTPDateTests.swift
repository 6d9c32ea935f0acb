import AsyncUVHTTP
import Testing

@Suite struct HTTPDateTests {
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"), (-62_135_596_800, "Mon, 01 Jan 0001 00:00:00 GMT"),
    ])
    func writesAndReads(seconds: Int64, text: String) {
        #expect(HTTPDate.text(seconds) == text && HTTPDate.seconds(text) == seconds)
    }

    @Test func everyDayOfManyYears() {
        for day in stride(from: Int64(-200_000), to: 200_000, by: 7) {
            let second = day * 86_400 + 43_200
            if HTTPDate.seconds(HTTPDate.text(second)) != second { Issue.record("\(HTTPDate.text(second))") }
        }
    }

    @Test func keepsToItsYears() {
        #expect(HTTPDate.text(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
        #expect(HTTPDate.text(.min) == "Mon, 01 Jan 0001 00:00:00 GMT")
    }

    @Test(arguments: [
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994",
    ])
    func readsOldForms(text: String) { #expect(HTTPDate.seconds(text) == 784_111_777) }

    @Test func guessesTheCentury() { #expect(HTTPDate.seconds("Sunday, 06-Nov-44 08:49:37 GMT") == 2_362_034_977) }

    @Test(arguments: [
        "", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT", "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Mon, 99 Foo 99999", "Sun, 06 Nov 1994 08:49:37 GMT and much more behind it",
    ])
    func isNoDate(text: String) { #expect(HTTPDate.seconds(text) == nil) }
}
