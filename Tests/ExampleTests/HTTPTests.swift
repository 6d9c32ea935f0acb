import AsyncUVHTTP
import ExampleHTTP
import HTTPTypes
import Testing

/// Paths, ranges, dates and conditions: what the fields of a request mean.
@Suite struct HTTPTests {
    @Test(arguments: [
        ("/", [], true, "/"), ("/a", ["a"], false, "/a"), ("/a/", ["a"], true, "/a/"),
        ("//a///b", ["a", "b"], false, "/a/b"),
        ("/%41%2b+%25", ["A++%"], false, "/A%2B%2B%25"), ("/%2541", ["%41"], false, "/%2541"),
        ("/ä/\\..\\b", ["ä", "\\..\\b"], false, "/%C3%A4/%5C..%5Cb"), ("/a?b/../c", ["a"], false, "/a"),
    ])
    func decodesPathsOnce(target: String, names: [String], isDirectory: Bool, link: String) throws {
        let path = try RequestPath(target)
        #expect(path.names == names.map { Array($0.utf8) } && path.isDirectory == isDirectory && path.link == link)
    }

    @Test func keepsBytesThatAreNotText() throws {
        let path = try RequestPath("/a%FF?q=%zz")
        #expect(path.names == [[0x61, 0xFF]] && path.link == "/a%FF")
        #expect(path.text == "/a\u{FFFD}" && path.query == "?q=%zz")
    }

    @Test(arguments: [
        ("/..", 403), ("/a/../b", 403), ("/%2e%2E/b", 403), ("/.%2e", 403), ("/.", 403), ("/.git/config", 403),
        ("/a%2fb", 400), ("/%00", 400), ("/a%", 400), ("/a%1", 400), ("/%+1", 400), ("/%g1", 400), ("a", 400),
        ("", 400),
        ("*", 400), ("?", 400), ("/%１1", 400),
    ])
    func refusesPaths(target: String, status: Int) {
        let refusal = #expect(throws: HTTPRefusal.self) { try RequestPath(target) }
        #expect(refusal?.status.code == status)
    }

    private static let ranges: [(String, RequestedRange)] = [
        ("bytes=0-0", .part(0..<1)), ("bytes=2-", .part(2..<10)), ("bytes=-3", .part(7..<10)),
        ("Bytes=2-100", .part(2..<10)), ("bytes=-100", .part(0..<10)), ("bytes=9-9223372036854775807", .part(9..<10)),
        ("bytes=9-99999999999999999999", .part(9..<10)), ("bytes=10-", .none), ("bytes=10-11", .none),
        ("bytes=-0", .none), ("bytes=99999999999999999999-", .none), ("bytes=3-2", .all), ("bytes=-", .all),
        ("bytes=", .all), ("bytes=0-1,3-4", .all), ("bytes=a-b", .all), ("bytes=1-2-3", .all), ("bytes=+1-2", .all),
        ("lines=1-2", .all), ("bytes 1-2", .all), ("", .all),
    ]

    @Test(arguments: ranges)
    func understandsRanges(field: String, range: RequestedRange) {
        #expect(RequestedRange([field], size: 10) == range)
    }

    @Test func rangesOfNothingAndManyFields() {
        #expect(RequestedRange([], size: 10) == .all)
        #expect(RequestedRange(["bytes=0-1", "bytes=0-1"], size: 10) == .all)
        #expect(RequestedRange(["bytes=0-"], size: 0) == RequestedRange.none)
        #expect(RequestedRange(["bytes=-1"], size: 0) == RequestedRange.none)
    }

    @Test func weighsConditions() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT", earlier = "Sun, 06 Nov 1994 08:49:36 GMT"
        let file = Validators(entityTag: "\"v\"", modified: 784_111_777)
        let sent = Validators.Verdict.proceed(rangeIsWelcome: true)
        let whole = Validators.Verdict.proceed(rangeIsWelcome: false)
        let cases: [(HTTPFields, Validators.Verdict)] = [
            ([:], sent), ([.ifNoneMatch: "\"v\""], .notModified), ([.ifNoneMatch: "\"w\",W/\"v\""], .notModified),
            ([.ifNoneMatch: "*"], .notModified), ([.ifNoneMatch: "\"w\""], sent), ([.ifNoneMatch: "v"], sent),
            ([.ifModifiedSince: date], .notModified), ([.ifModifiedSince: earlier], sent),
            ([.ifModifiedSince: "now"], sent),
            // The tag counts, the date does not.
            ([.ifNoneMatch: "\"w\"", .ifModifiedSince: date], sent), ([.ifMatch: "\"v\""], sent),
            ([.ifMatch: "*"], sent),
            ([.ifMatch: "W/\"v\""], .failed), ([.ifMatch: "\"w\""], .failed), ([.ifUnmodifiedSince: date], sent),
            ([.ifUnmodifiedSince: earlier], .failed), ([.ifMatch: "\"v\"", .ifUnmodifiedSince: earlier], sent),
            ([.ifRange: "\"v\""], sent), ([.ifRange: "W/\"v\""], whole), ([.ifRange: date], sent),
            ([.ifRange: earlier], whole),
        ]
        for (fields, verdict) in cases { #expect(file.verdict(on: fields) == verdict, "\(fields)") }
    }

    @Test func knowsTypes() {
        #expect(ContentType.of("HTML") == "text/html; charset=utf-8")
        #expect(ContentType.of("png") == "image/png")
        #expect(ContentType.of(nil) == ContentType.of("xyz") && ContentType.of(nil) == "application/octet-stream")
    }
}
