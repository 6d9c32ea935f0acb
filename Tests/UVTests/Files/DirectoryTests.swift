import Foundation
import SystemPackage
import TestSupport
import Testing
import UV

@Suite(.ownThread) struct DirectoryTests {
    @Test("Reads all names in batches, each once, then none", arguments: [1, 7, 256, 65_536])
    func batches(_ limit: Int) throws {
        try withFolder { folder in
            let names = Set((0..<100).map { "file \($0)" })
            for name in names { try folder.file(name) }
            let directory = try done { try FileRequest.start(.openDirectory(folder.path), on: $0, onDone: $1) }
            var found: [DirectoryEntry] = []
            while true {
                let batch = try done { try FileRequest.start(.read(directory, upTo: limit), on: $0, onDone: $1) }
                #expect(batch.count <= limit)
                if batch.isEmpty { break }
                found += batch
            }
            #expect(found.count == 100 && Set(found.map(\.name.string)) == names)
            #expect(found.allSatisfy { $0.kind == .regular })
            try done { try FileRequest.start(.close(directory), on: $0, onDone: $1) }
            expect(.badFileDescriptor, of: folder.path) {
                try done { try FileRequest.start(.read(directory), on: $0, onDone: $1) }
            }
            expect(.badFileDescriptor, of: folder.path) {
                try done { try FileRequest.start(.close(directory), on: $0, onDone: $1) }
            }
        }
    }

    @Test("The errors: missing, no directory, a limit out of range")
    func errors() throws {
        try withFolder { folder in
            let file = try folder.file("file")
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try FileRequest.start(.openDirectory(folder("none")), on: $0, onDone: $1) }
            }
            expect(.notDirectory, of: file) {
                try done { try FileRequest.start(.openDirectory(file), on: $0, onDone: $1) }
            }
            let directory = try done { try FileRequest.start(.openDirectory(folder.path), on: $0, onDone: $1) }
            for limit in [0, -1, 65_537, .max] {
                expect(.invalidArgument, of: "\(limit) entries") {
                    try done { try FileRequest.start(.read(directory, upTo: limit), on: $0, onDone: $1) }
                }
            }
        }
    }

    @Test("One that is dropped open closes itself; two requests at once are refused")
    func dropped() throws {
        try withFolder { folder in
            try folder.file("file")
            var directory: DirectoryReader? = try done {
                try FileRequest.start(.openDirectory(folder.path), on: $0, onDone: $1)
            }
            let held = try #require(directory)
            var codes: [UVError.Code?] = []
            try withLoop { loop in
                // As many at once as threads take; each reads on, or is told that another one does.
                for _ in 0..<8 {
                    try FileRequest.start(.read(held), on: loop) { _, result in
                        if case .failure(let error) = result { codes.append(error.code) } else { codes.append(nil) }
                    }
                }
            }
            #expect(codes.count == 8 && codes.allSatisfy { $0 == nil || $0 == .resourceBusy } && codes.contains(nil))
            directory = nil
        }
    }
}
