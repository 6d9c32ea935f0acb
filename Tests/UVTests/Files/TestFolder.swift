import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

/// A new folder for the files of a test.
struct TestFolder {
    let path: FilePath

    func callAsFunction(_ name: String) -> FilePath { path.appending(name) }

    /// Makes a file.
    @discardableResult
    func file(_ name: String, _ bytes: [UInt8] = [], _ permissions: FilePermissions = [.ownerReadWrite]) throws
        -> FilePath
    {
        let path = self(name)
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
        try file.closeAfter {
            try file.writeAll(bytes)
            #expect(fchmod(file.rawValue, permissions.rawValue) == 0)
        }
        return path
    }

    /// Makes a directory, with those above it.
    @discardableResult
    func folder(_ name: String) throws -> FilePath {
        try FileManager.default.createDirectory(atPath: self(name).string, withIntermediateDirectories: true)
        return self(name)
    }

    @discardableResult
    func link(_ name: String, to target: String) -> FilePath {
        unsafe #expect(symlink(target, self(name).string) == 0)
        return self(name)
    }

    @discardableResult
    func fifo(_ name: String) -> FilePath {
        unsafe #expect(mkfifo(self(name).string, 0o640) == 0)
        return self(name)
    }

    func setMode(_ mode: mode_t, of name: String = ".") { #expect(unsafe chmod(self(name).string, mode) == 0) }

    /// The names in it or in a folder in it, sorted.
    func names(_ name: String = ".") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self(name).string).sorted()
    }

    func opened<Value>(
        _ path: FilePath, _ mode: FileDescriptor.AccessMode = .readOnly, _ body: (FileDescriptor) throws -> Value
    ) throws -> Value {
        let file = try FileDescriptor.open(path, mode)
        return try file.closeAfter { try body(file) }
    }
}

/// Gives a folder to a test and removes it with all that is in it. Fails on descriptors of it that stay open.
func withFolder(_ body: (TestFolder) throws -> Void) throws {
    let template = FilePath.systemTemporaryDirectory.appending("swift-uv-test-XXXXXX")
    var bytes = Array(template.string.utf8CString)
    try #require(unsafe mkdtemp(&bytes) != nil)
    let folder = TestFolder(path: FilePath(platformString: bytes))
    defer { try? FileManager.default.removeItem(atPath: folder.path.string) }
    try body(folder)
    #expect(openFiles(in: folder.path) == [], "descriptors left open")
}

/// Does something without the superuser's rights, in a process of its own.
func asNobody(_ body: () throws -> Void) rethrows {
    #expect(seteuid(65_534) == 0)
    defer { #expect(seteuid(0) == 0) }
    try body()
}

func content(of path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        var bytes: [UInt8] = []
        while true {
            let more = try file.read(upTo: 65_536)
            if more.isEmpty { return bytes }
            bytes += more
        }
    }
}

/// Does one operation on a loop of its own.
@discardableResult
func done<Request, Value>(
    _ begin: (Loop, @escaping (Request, Result<Value, UVError>) -> Void) throws -> Request
) throws -> Value {
    var results: [Result<Value, UVError>] = []
    try withLoop { loop in
        _ = try begin(loop) { results.append($1) }
        #expect(results.isEmpty, "never before the call has returned")
    }
    #expect(results.count == 1)
    return try #require(results.first).get()
}

/// Fails unless the body throws an error with this code and this in its text.
func expect(
    _ code: UVError.Code, of subject: FilePath, _ body: () throws -> Any, at location: SourceLocation = #_sourceLocation
) {
    expect(code, of: subject.string, body, at: location)
}

func expect(
    _ code: UVError.Code, of subject: String, _ body: () throws -> Any, at location: SourceLocation = #_sourceLocation
) {
    do {
        let value = try body()
        Issue.record("no error but \(value)", sourceLocation: location)
    } catch let error as UVError {
        #expect(error.code == code, sourceLocation: location)
        #expect(error.description.contains(subject), sourceLocation: location)
    } catch { Issue.record("\(error)", sourceLocation: location) }
}

func == (first: [UInt8], second: ArraySlice<UInt8>) -> Bool { first[...] == second }
