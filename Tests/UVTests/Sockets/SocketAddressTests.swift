import TestSupport
import Testing
import UV

@Suite(.ownThread) struct SocketAddressTests {
    @Test(
        "D1: numeric addresses read as they are written",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("2001:db8::8:800:200c:417a", "2001:db8::8:800:200c:417a"),
            ("2001:0DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("fe80::1%lo", "fe80::1%lo"), ("fe80::1%1", "fe80::1%lo"),
        ])
    func parse(_ text: String, _ host: String) throws {
        let address = try SocketAddress(host: text, port: 80)
        #expect(address.host == host && address.port == 80)
        #expect(address.description == (address.family == .ipv4 ? "\(host):80" : "[\(host)]:80"))
        let again = try SocketAddress(host: address.host, port: address.port)
        #expect(again == address && again.hashValue == address.hashValue)
    }

    @Test(
        "D1: only plain numbers are addresses; names and C's odd forms are not",
        arguments: [
            "", " ", "localhost", "example.com", "*", "0x7f.1", "0x7f000001", "017700000001", "2130706433", "127.1",
            "127.0.0.01", "127.0.0.1 ", " 127.0.0.1", "127.0.0.1\n", "127.0.0.256", "127.0.0.-1", "127.0.0.1.1",
            "127.0.0.1:80", "127.0.0.1/8", "127.0.0.1%lo", "[::1]", ":", ":::", "::1::", "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9", "::12345", "::g", "::1/128", "127.0.0.1\0", "::1\0", "\0", "１２７.0.0.1",
            String(repeating: "1", count: 300), String(repeating: ":", count: 10_000),
        ])
    func refused(_ text: String) {
        let error = #expect(throws: UVError.self) { try SocketAddress(host: text, port: 80) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.operation == "address parsing" && error?.subject == "\"\(text)\"")
    }

    @Test(
        "D1, guard: a zone that is no interface is an error",
        arguments: [
            "fe80::1%no-such-interface", "fe80::1%", "fe80::1%999999", "fe80::1%0", "fe80::1%-1", "fe80::1%+1",
            "fe80::1%lo%lo", "fe80::1%lo\0", "fe80::1% lo", "fe80::1%99999999999999999999",
            "fe80::1%" + String(repeating: "x", count: 1_000),
        ])
    func unknownZone(_ text: String) {
        #expect(throws: (any Error).self) { try SocketAddress(host: text, port: 80) }
    }

    @Test("B2: the first and the last port", arguments: [UInt16.min, 1, .max])
    func ports(_ port: UInt16) throws {
        try #expect(SocketAddress(host: "127.0.0.1", port: port).port == port)
        try #expect(SocketAddress(host: "127.0.0.1", port: port).description == "127.0.0.1:\(port)")
    }

    @Test func differInEveryPart() throws {
        let all = try [
            SocketAddress(host: "127.0.0.1", port: 1), SocketAddress(host: "127.0.0.1", port: 2),
            SocketAddress(host: "127.0.0.2", port: 1), SocketAddress(host: "::1", port: 1),
            SocketAddress(host: "fe80::1", port: 1), SocketAddress(host: "fe80::1%lo", port: 1),
        ]
        #expect(Set(all).count == all.count)
        #expect(Set(all + all).count == all.count)
    }

    @Test func scopeIsTheInterfacesNumber() throws {
        let index = try NetworkInterface.index(of: "lo")
        try #expect(SocketAddress(host: "fe80::1%lo", port: 1).scope == index)
        try #expect(SocketAddress(host: "fe80::1", port: 1).scope == 0)
        try #expect(SocketAddress(host: "127.0.0.1", port: 1).scope == 0)
    }

    @Test func everyAddress() {
        #expect(SocketAddress.anyIPv4(port: 7).description == "0.0.0.0:7")
        #expect(SocketAddress.anyIPv6(port: 7).description == "[::]:7")
        #expect(SocketAddress.anyIPv4(port: 7).family == .ipv4)
        #expect(SocketAddress.anyIPv6(port: 7).family == .ipv6)
    }

    @Test func interfacesHaveNamesAndNumbers() throws {
        let index = try NetworkInterface.index(of: "lo")
        try #expect(NetworkInterface.name(of: index) == "lo")
        try #expect(NetworkInterface.zone(of: index) == "lo")
        expectError(.noSuchAddressOrDevice) { try NetworkInterface.name(of: 999_999) }
        expectError(.noSuchAddressOrDevice) { try NetworkInterface.zone(of: 999_999) }
        expectError(.operationNotSupportedByDevice) { try NetworkInterface.index(of: "no") }
        expectError(.operationNotSupportedByDevice) { try NetworkInterface.index(of: "lo\0") }
    }

    @Test(
        "Reads its own description",
        arguments: ["127.0.0.1:80", "0.0.0.0:0", "[::1]:65535", "[fe80::1%lo]:1", "[2001:db8::1]:443"])
    func parses(_ text: String) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.description == text)
    }

    @Test(
        "Takes nothing else",
        arguments: [
            "", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:080", "127.0.0.1:+80", "127.0.0.1:65536",
            "127.0.0.1:-1",
            "127.1:80", "localhost:80", "::1:80", "[127.0.0.1]:80", "[]:80", "[::1]", "[::1]80", "[::1:80", "::1]:80",
            "[::1%nowhere]:80", " 127.0.0.1:80", "127.0.0.1:80 ", "127.0.0.1:8\u{0}0", "127.0.0.1:٨٠",
        ])
    func parsesNothingElse(_ text: String) { #expect(SocketAddress(text) == nil) }

    @Test func loopback() {
        #expect(SocketAddress.loopback(port: 7).description == "127.0.0.1:7")
        #expect(SocketAddress.loopbackIPv6(port: 8).description == "[::1]:8")
        var address = SocketAddress.loopbackIPv6(port: 8)
        address.port = 9
        #expect(address == .loopbackIPv6(port: 9) && address.family == .ipv6 && address.host == "::1")
    }
}
