import CFaults
import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileWriteTests {
    @Test("Writes at an offset, at the position, several arrays, all of it, behind the end; cuts and lengthens; syncs")
    func writes() throws {
        try withFolder { folder in
            let path = folder("file")
            let file = try done {
                try FileRequest.start(
                    .open(path, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite), on: $0,
                    onDone: $1)
            }
            try #expect(done { try FileRequest.start(.write([1, 2, 3], to: file, at: nil), on: $0, onDone: $1) } == 3)
            try #expect(done { try FileRequest.start(.write([4], to: file, at: nil), on: $0, onDone: $1) } == 1)
            try #expect(done { try FileRequest.start(.write([9], to: file, at: 1), on: $0, onDone: $1) } == 1)
            try #expect(content(of: path) == [1, 9, 3, 4])
            let parts: [[UInt8]] = [[5], [], [6, 7]]
            try #expect(
                done { try FileRequest.start(.write(contentsOf: parts, to: file, at: 4), on: $0, onDone: $1) } == 3)
            try done { try FileRequest.start(.writeAll([8], to: file, at: nil), on: $0, onDone: $1) }
            try #expect(content(of: path) == [1, 9, 3, 4, 5, 6, 7, 8])
            try done { try FileRequest.start(.truncate(file, to: 2), on: $0, onDone: $1) }
            try done { try FileRequest.start(.truncate(file, to: 4), on: $0, onDone: $1) }
            try done { try FileRequest.start(.syncData(file), on: $0, onDone: $1) }
            try done { try FileRequest.start(.sync(file), on: $0, onDone: $1) }
            try #expect(content(of: path) == [1, 9, 0, 0])
            let large = pattern(count: 3 << 20)
            try done { try FileRequest.start(.writeAll(large, to: file, at: 4), on: $0, onDone: $1) }
            try #expect(areEqual(Array(content(of: path)[4...]), large))
            try done { try FileRequest.start(.close(file), on: $0, onDone: $1) }
        }
    }

    @Test("B1: nothing to write is written: 0 bytes, no assert")
    func nothing() throws {
        try withFolder { folder in
            try folder.opened(folder.file("file", [1]), .readWrite) { file in
                try #expect(done { try FileRequest.start(.write([], to: file, at: 0), on: $0, onDone: $1) } == 0)
                try #expect(
                    done { try FileRequest.start(.write(contentsOf: [], to: file, at: 0), on: $0, onDone: $1) } == 0)
                try #expect(
                    done { try FileRequest.start(.write(contentsOf: [[], []], to: file, at: 0), on: $0, onDone: $1) }
                        == 0)
                try done { try FileRequest.start(.writeAll([], to: file, at: nil), on: $0, onDone: $1) }
            }
            try #expect(content(of: folder("file")) == [1])
        }
    }

    @Test("The errors of writing")
    func errors() throws {
        try withFolder { folder in
            try folder.opened(folder.file("file", [1])) { file in
                let name = "descriptor \(file.rawValue)"
                expect(.badFileDescriptor, of: name) {
                    try done { try FileRequest.start(.write([1], to: file, at: 0), on: $0, onDone: $1) }
                }
                expect(.badFileDescriptor, of: "\(name) after 0 bytes") {
                    try done { try FileRequest.start(.writeAll([1], to: file, at: 0), on: $0, onDone: $1) }
                }
                expect(.badFileDescriptor, of: "\(name) after 0 bytes") {
                    try done { try FileRequest.start(.writeAll([1], to: file, at: nil), on: $0, onDone: $1) }
                }
                expect(.invalidArgument, of: name) {
                    try done { try FileRequest.start(.truncate(file, to: 0), on: $0, onDone: $1) }
                }
            }
            let none = FileDescriptor(rawValue: 1_000_000)
            expect(.badFileDescriptor, of: "sync of descriptor 1000000") {
                try done { try FileRequest.start(.sync(none), on: $0, onDone: $1) }
            }
            expect(.badFileDescriptor, of: "sync of descriptor 1000000") {
                try done { try FileRequest.start(.syncData(none), on: $0, onDone: $1) }
            }
        }
        try withFolder { folder in
            try folder.opened(folder.file("file"), .writeOnly) { file in
                expect(.fileTooLarge, of: "descriptor") {
                    try done { try FileRequest.start(.write([1, 2], to: file, at: .max - 10), on: $0, onDone: $1) }
                }
            }
        }
    }

    #if os(Linux)
    @Test("F1: the full device: no space, after 0 bytes")
    func fullDevice() throws {
        let file = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        try file.closeAfter {
            expect(.noSpace, of: "descriptor \(file.rawValue)") {
                try done { try FileRequest.start(.write([1], to: file, at: nil), on: $0, onDone: $1) }
            }
            expect(.noSpace, of: "after 0 bytes") {
                try done { try FileRequest.start(.writeAll([1], to: file, at: 0), on: $0, onDone: $1) }
            }
        }
    }

    @Test("F1: a full volume: as many bytes as are said to be written are in the file; a copy keeps the old file")
    func fullVolume() async throws {
        await #expect(processExitsWith: .success) {
            try withFolder { folder in
                // Only the superuser may mount.
                guard mountSmallVolume(on: folder.path) else { return }
                defer { unmount(folder.path) }
                let path = try folder.file("file")
                try folder.opened(path, .writeOnly) { file in
                    let million = [UInt8](repeating: 1, count: 1 << 20)
                    let written = try done {
                        try FileRequest.start(.write(million, to: file, at: 0), on: $0, onDone: $1)
                    }
                    let size = try done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) }.size
                    #expect(written > 0 && written < 1 << 20 && size == written)
                    expect(.noSpace, of: "descriptor") {
                        try done {
                            try FileRequest.start(.write([1], to: file, at: Int64(written)), on: $0, onDone: $1)
                        }
                    }
                    try done { try FileRequest.start(.truncate(file, to: 0), on: $0, onDone: $1) }
                    expect(.noSpace, of: "after \(written) bytes") {
                        try done { try FileRequest.start(.writeAll(million, to: file, at: 0), on: $0, onDone: $1) }
                    }
                    try done { try FileRequest.start(.truncate(file, to: 0), on: $0, onDone: $1) }
                }
                try folder.file("old", [1, 2, 3])
                try withFolder { other in
                    let source = try other.file("source", [UInt8](repeating: 2, count: 300_000))
                    expect(.noSpace, of: folder("old")) {
                        try done { try FileRequest.copy(source, to: folder("old"), on: $0, onDone: $1) }
                    }
                    try #expect(content(of: folder("old")) == [1, 2, 3])
                    try #expect(folder.names() == ["file", "old"], "nothing temporary is left")
                    try other.folder("tree")
                    try other.file("tree/a", [UInt8](repeating: 2, count: 300_000))
                    expect(.noSpace, of: folder("copy/a")) {
                        try done { try TreeRequest.copy(other("tree"), to: folder("copy"), on: $0, onDone: $1) }
                    }
                    try #expect(folder.names("copy") == [], "no half file")
                }
            }
        }
    }
    #endif

    @Test("Sends bytes from file to file and to a socket; nothing behind the end")
    func send() throws {
        try withFolder { folder in
            let bytes = pattern(count: 100_000)
            try folder.opened(folder.file("from", bytes)) { source in
                try folder.opened(folder.file("to"), .writeOnly) { target in
                    let count = try done {
                        try FileRequest.start(.send(from: source, at: 10, count: 1_000, to: target), on: $0, onDone: $1)
                    }
                    #expect(count == 1_000)
                    try #expect(content(of: folder("to")) == bytes[10..<1_010])
                    let none = try done {
                        try FileRequest.start(
                            .send(from: source, at: 100_000, count: 10, to: target), on: $0, onDone: $1)
                    }
                    #expect(none == 0)
                    let all = try done {
                        try FileRequest.start(.send(from: source, at: 0, count: .max, to: target), on: $0, onDone: $1)
                    }
                    #expect(all == 100_000)
                    try #expect(
                        done {
                            try FileRequest.start(.send(from: source, at: 0, count: 0, to: target), on: $0, onDone: $1)
                        }
                            == 0)
                }
                let (near, far) = try FileDescriptor.tcpPair()
                let sent = try done {
                    try FileRequest.start(.send(from: source, at: 0, count: 500, to: near), on: $0, onDone: $1)
                }
                try near.close()
                try #expect(far.readToEnd() == bytes[..<sent])
                try far.close()
                expect(.badFileDescriptor, of: "descriptor \(source.rawValue) to descriptor 1000000") {
                    try done {
                        try FileRequest.start(
                            .send(from: source, at: 0, count: 1, to: FileDescriptor(rawValue: 1_000_000)), on: $0,
                            onDone: $1)
                    }
                }
            }
        }
    }
}

#if os(Linux)
/// False without the right to do so.
private func mountSmallVolume(on path: FilePath) -> Bool {
    unsafe cfaults_mount_small_volume(path.string, "size=64k") == 0
}

private func unmount(_ path: FilePath) { unsafe cfaults_unmount(path.string) }
#endif
