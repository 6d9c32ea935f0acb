import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct FileStatusTests {
    @Test("status of a path, of a link, of an open file")
    func status() throws {
        try withFolder { folder in
            let path = try folder.file("file", [1, 2, 3], [.ownerReadWrite, .groupRead])
            let link = folder.link("link", to: "file")
            let status = try done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }
            #expect(status.kind == .regular && status.size == 3 && status.permissions == [.ownerReadWrite, .groupRead])
            #expect(status.linkCount == 1 && status.user == geteuid() && status.inode > 0)
            let now = FileTime.now.seconds
            #expect(status.modified.seconds <= now + 2 && status.modified.seconds > now - 600)
            try #expect(done { try FileRequest.start(.status(of: link), on: $0, onDone: $1) } == status)
            let ofLink = try done {
                try FileRequest.start(.status(of: link, followingLinks: false), on: $0, onDone: $1)
            }
            #expect(ofLink.kind == .symbolicLink && ofLink.size == 4 && ofLink.inode != status.inode)
            try folder.opened(path) { file in
                try #expect(done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) } == status)
            }
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.status(of: folder("none")), on: $0, onDone: $1) }
            }
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done {
                    try FileRequest.start(.status(of: folder("none"), followingLinks: false), on: $0, onDone: $1)
                }
            }
            expect(.badFileDescriptor, of: "descriptor 1000000") {
                try done { try FileRequest.start(.status(of: FileDescriptor(rawValue: 1_000_000)), on: $0, onDone: $1) }
            }
            try #expect(
                done { try FileRequest.start(.status(of: "/dev/null"), on: $0, onDone: $1) }.kind == .characterDevice)
            folder.link("loop", to: "loop")
            expect(.tooManySymbolicLinkLevels, of: folder("loop")) {
                try done { try FileRequest.start(.status(of: folder("loop")), on: $0, onDone: $1) }
            }
        }
    }

    @Test("volume and access")
    func volumeAndAccess() throws {
        try withFolder { folder in
            let volume = try done { try FileRequest.start(.volume(of: folder.path), on: $0, onDone: $1) }
            #expect(volume.blockSize > 0 && volume.blocks > 0 && volume.freeBlocks <= volume.blocks)
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.volume(of: folder("none")), on: $0, onDone: $1) }
            }
            let path = try folder.file("file")
            try done { try FileRequest.start(.checkAccess(to: path, for: [.read, .write]), on: $0, onDone: $1) }
            try done { try FileRequest.start(.checkAccess(to: path, for: .exists), on: $0, onDone: $1) }
            expect(.permissionDenied, of: path) {
                try done { try FileRequest.start(.checkAccess(to: path, for: .execute), on: $0, onDone: $1) }
            }
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.checkAccess(to: folder("none"), for: .exists), on: $0, onDone: $1) }
            }
        }
    }

    @Test("permissions, of a path and of an open file")
    func permissions() throws {
        try withFolder { folder in
            let path = try folder.file("file")
            try done {
                try FileRequest.start(.setPermissions([.ownerRead, .otherExecute], of: path), on: $0, onDone: $1)
            }
            try #expect(
                done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }.permissions == [
                    .ownerRead, .otherExecute,
                ])
            try folder.opened(path) { file in
                try done { try FileRequest.start(.setPermissions(.ownerReadWrite, of: file), on: $0, onDone: $1) }
                try #expect(
                    done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) }.permissions == .ownerReadWrite
                )
            }
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.setPermissions([], of: folder("none")), on: $0, onDone: $1) }
            }
            expect(.badFileDescriptor, of: "descriptor 1000000") {
                try done {
                    try FileRequest.start(
                        .setPermissions([], of: FileDescriptor(rawValue: 1_000_000)), on: $0, onDone: $1)
                }
            }
        }
    }

    @Test("owners: those of the file, of the link, of an open file", .enabled(if: getuid() == 0, "needs the superuser"))
    func owners() throws {
        try withFolder { folder in
            let path = try folder.file("file")
            let link = folder.link("link", to: "file")
            try done { try FileRequest.start(.setOwner(FileOwner(user: 1, group: 2), of: link), on: $0, onDone: $1) }
            try done {
                try FileRequest.start(
                    .setOwner(FileOwner(user: 3), of: link, followingLinks: false), on: $0, onDone: $1)
            }
            var status = try done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }
            #expect(status.user == 1 && status.group == 2)
            status = try done { try FileRequest.start(.status(of: link, followingLinks: false), on: $0, onDone: $1) }
            #expect(status.user == 3 && status.group == getegid(), "what is nil stays as it is")
            try folder.opened(path) { file in
                try done { try FileRequest.start(.setOwner(FileOwner(group: 4), of: file), on: $0, onDone: $1) }
                status = try done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) }
            }
            #expect(status.user == 1 && status.group == 4)
            expect(.badFileDescriptor, of: "descriptor 1000000") {
                try done {
                    try FileRequest.start(
                        .setOwner(FileOwner(group: 4), of: FileDescriptor(rawValue: 1_000_000)), on: $0, onDone: $1)
                }
            }
            for follows in [true, false] {
                expect(.noSuchFileOrDirectory, of: folder("none")) {
                    try done {
                        try FileRequest.start(
                            .setOwner(FileOwner(user: 1), of: folder("none"), followingLinks: follows), on: $0,
                            onDone: $1)
                    }
                }
            }
        }
    }

    @Test(
        "times, also before 1970: of the file, of the link, of an open file",
        arguments: [
            FileTime(seconds: 1_700_000_000, nanoseconds: 123_456_789), FileTime(seconds: 0),
            FileTime(seconds: -1_000, nanoseconds: 1), FileTime(seconds: 1_795_000_000, nanoseconds: 999_999_999),
        ])
    func times(_ time: FileTime) throws {
        try withFolder { folder in
            let path = try folder.file("file")
            let link = folder.link("link", to: "file")
            let later = FileTime(seconds: time.seconds + 5, nanoseconds: 5)
            try done { try FileRequest.start(.setTimes(accessed: later, modified: time, of: link), on: $0, onDone: $1) }
            var status = try done { try FileRequest.start(.status(of: path), on: $0, onDone: $1) }
            #expect(status.modified == time && status.accessed == later)
            try done {
                try FileRequest.start(
                    .setTimes(accessed: time, modified: later, of: link, followingLinks: false), on: $0, onDone: $1)
            }
            status = try done { try FileRequest.start(.status(of: link, followingLinks: false), on: $0, onDone: $1) }
            #expect(status.modified == later)
            try folder.opened(path) { file in
                try done {
                    try FileRequest.start(.setTimes(accessed: time, modified: later, of: file), on: $0, onDone: $1)
                }
                status = try done { try FileRequest.start(.status(of: file), on: $0, onDone: $1) }
            }
            #expect(status.modified == later)
            expect(.badFileDescriptor, of: "descriptor 1000000") {
                try done {
                    try FileRequest.start(
                        .setTimes(accessed: time, modified: later, of: FileDescriptor(rawValue: 1_000_000)), on: $0,
                        onDone: $1)
                }
            }
            for follows in [true, false] {
                expect(.noSuchFileOrDirectory, of: folder("none")) {
                    try done {
                        try FileRequest.start(
                            .setTimes(accessed: time, modified: time, of: folder("none"), followingLinks: follows),
                            on: $0, onDone: $1)
                    }
                }
            }
        }
    }
}
