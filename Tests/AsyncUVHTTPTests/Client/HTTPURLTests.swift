import AsyncUVHTTP
import Testing

@Suite struct HTTPURLTests {
    @Test(arguments: [
        ("http://example.org", "http://example.org/"), ("HTTP://EXAMPLE.org:80/A?b#c", "http://example.org/A?b"),
        ("https://example.org:443", "https://example.org/"), ("https://example.org:80/", "https://example.org:80/"),
        ("http://example.org?q=1", "http://example.org/?q=1"), ("http://[::1]:8080/x", "http://[::1]:8080/x"),
        ("http://example.org/a b/ü", "http://example.org/a%20b/%C3%BC"), ("ws://h/", "http://h/"),
        ("wss://h:1/", "https://h:1/"), ("http://h:/", "http://h/"), ("http://h#a/b", "http://h/"),
    ])
    func right(_ text: String, _ meaning: String) { #expect(HTTPURL(text)?.description == meaning) }

    @Test(arguments: [
        "", "example.org", "/path", "http:/example.org", "http://", "http://:80/", "ftp://example.org/",
        "http://h:65536/",
        "http://h:0/", "http://h:8a/", "http://user:secret@h/", "http://user@h/", "http://h:80:80/", "http://[::1/",
        "http://[h]/", "http://a b/", "http://h/\r\nX: y", "http://h/\u{7F}", "http://h\\/", "mailto:a@b",
        "http://[::1]x/",
    ])
    func wrong(_ text: String) { #expect(HTTPURL(text) == nil) }

    /// The examples of RFC 3986, 5.4.
    @Test(arguments: [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d;p?y"), ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d;p?q"), ("g#s", "/b/c/g"), (";x", "/b/c/;x"), ("g;x", "/b/c/g;x"), ("", "/b/c/d;p?q"),
        (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../", "/b/"), ("../g", "/b/g"), ("../..", "/"),
        ("../../g", "/g"), ("../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"), ("g.", "/b/c/g."),
        ("..g", "/b/c/..g"),
        ("./../g", "/b/g"), ("g/./h", "/b/c/g/h"), ("g/../h", "/b/c/h"), ("g?y/../x", "/b/c/g?y/../x"),
        ("http://a/b/c/g", "/b/c/g"), ("//a/g", "/g"),
    ])
    func references(_ reference: String, _ path: String) throws {
        let base = try #require(HTTPURL("http://a/b/c/d;p?q"))
        #expect(base.resolving(reference)?.description == "http://a" + path)
    }

    @Test func referencesToElsewhere() throws {
        let base = try #require(HTTPURL("https://a:8443/b"))
        #expect(base.resolving("//c/d")?.description == "https://c/d")
        #expect(base.resolving("http://c/d")?.description == "http://c/d")
        #expect(base.resolving("e:f") == nil)
        #expect(base.resolving("/x?y=http://z")?.description == "https://a:8443/x?y=http://z")
        #expect(base.hasSameOrigin(as: try #require(HTTPURL("https://A:8443/other"))))
        #expect(!base.hasSameOrigin(as: try #require(HTTPURL("https://a/b"))))
        #expect(!base.hasSameOrigin(as: try #require(HTTPURL("http://a:8443/b"))))
    }
}
