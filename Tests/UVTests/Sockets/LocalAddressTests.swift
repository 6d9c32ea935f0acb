import SystemPackage
import TestSupport
import Testing
import UV

@Suite struct LocalAddressTests {
    @Test("I1: a path that is too long is refused by name, and the longest is not", arguments: [108, 200, 10_000])
    func tooLong(_ count: Int) throws {
        let path = "/" + String(repeating: "x", count: count - 1)
        let error = #expect(throws: UVError.self) { try LocalAddress(path: path) }
        #expect(error?.code == .fileNameTooLong && error?.subject == path)
        #expect(throws: UVError.self) { try LocalAddress(path: FilePath(path)) }
        #expect(throws: UVError.self) { try LocalAddress(abstract: path) }
        #if os(Linux)
        #expect(LocalAddress.longestName == 107)
        #endif
        let longest = String(repeating: "y", count: LocalAddress.longestName)
        #expect(try LocalAddress(path: longest).path?.string == longest)
        #expect(try LocalAddress(abstract: longest).abstractName == Array(longest.utf8))
    }

    @Test func whatIsNoPathIsRefused() {
        expectError(.invalidArgument) { try LocalAddress(path: "a\0b") }
        expectError(.noSuchFileOrDirectory) { try LocalAddress(path: "") }
        expectError(.noSuchFileOrDirectory) { try LocalAddress(path: FilePath("")) }
        expectError(.invalidArgument) { try LocalAddress(abstract: "") }
    }

    @Test func descriptions() throws {
        let path = try LocalAddress(path: "/run/a.sock")
        let abstract = try LocalAddress(abstract: [65, 0, 66])
        #expect(path.description == "/run/a.sock" && path.path == "/run/a.sock" && path.abstractName == nil)
        #expect(abstract.description == "@A@B" && abstract.path == nil && abstract.abstractName == [65, 0, 66])
        #expect(LocalAddress.unnamed.description == "unnamed" && LocalAddress.unnamed.isUnnamed && !path.isUnnamed)
        #expect(path == (try LocalAddress(path: FilePath("/run/a.sock"))) && path != abstract)
    }

    @Test("A path need not be UTF-8") func bytes() throws {
        let path = FilePath(platformString: [0x2f, CChar(bitPattern: 0xff), 0])
        #expect(try LocalAddress(path: path).path == path)
    }
}
