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
            let directory = try done { try DirectoryRequest.open(folder.path, on: $0, onDone: $1) }
            var found: [DirectoryEntry] = []
            while true {
                let batch = try done { try DirectoryRequest.read(directory, upTo: limit, on: $0, onDone: $1) }
                #expect(batch.count <= limit)
                if batch.isEmpty { break }
                found += batch
            }
            #expect(found.count == 100 && Set(found.map(\.name.string)) == names)
            #expect(found.allSatisfy { $0.kind == .regular })
            try done { try DirectoryRequest.close(directory, on: $0, onDone: $1) }
            expect(.badFileDescriptor, of: folder.path) {
                try done { try DirectoryRequest.read(directory, on: $0, onDone: $1) }
            }
            expect(.badFileDescriptor, of: folder.path) {
                try done { try DirectoryRequest.close(directory, on: $0, onDone: $1) }
            }
        }
    }

    @Test("The errors: missing, no directory, a limit out of range")
    func errors() throws {
        try withFolder { folder in
            let file = try folder.file("file")
            expect(.noSuchFileOrDirectory, of: folder("none")) {
                try done { try DirectoryRequest.open(folder("none"), on: $0, onDone: $1) }
            }
            expect(.notDirectory, of: file) { try done { try DirectoryRequest.open(file, on: $0, onDone: $1) } }
            let directory = try done { try DirectoryRequest.open(folder.path, on: $0, onDone: $1) }
            for limit in [0, -1, 65_537, .max] {
                expect(.invalidArgument, of: "\(limit) entries") {
                    try done { try DirectoryRequest.read(directory, upTo: limit, on: $0, onDone: $1) }
                }
            }
        }
    }

    @Test("One that is dropped open closes itself; two requests at once are refused")
    func dropped() throws {
        try withFolder { folder in
            try folder.file("file")
            var directory: DirectoryRequest.Directory? = try done {
                try DirectoryRequest.open(folder.path, on: $0, onDone: $1)
            }
            try withLoop { loop in
                try DirectoryRequest.read(directory!, on: loop) { _, result in
                    #expect(try! result.get().map(\.name) == ["file"])
                }
                expect(.resourceBusy, of: folder.path) {
                    try DirectoryRequest.read(directory!, on: loop) { _, _ in }
                }
                expect(.resourceBusy, of: folder.path) {
                    try DirectoryRequest.close(directory!, on: loop) { _, _ in }
                }
            }
            directory = nil
        }
    }
}
