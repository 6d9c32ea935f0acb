import Foundation
import FuzzTargets
import TestSupport
import Testing

/// What the fuzzer has found, and where it begins: each file of `Tests/Fuzz/Corpora` goes through its target, and so do its parts and
/// some of its mutants. `Scripts/fuzz` looks for more.
@Suite struct FuzzCorpusTests {
    @Test(arguments: FuzzTarget.allCases) func corpus(of target: FuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/Corpora/\(target)")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path < $1.path }
        #expect(!files.isEmpty)
        var random = SeededGenerator(seed: 20_261_128)
        for file in files {
            let bytes = [UInt8](try Data(contentsOf: file))
            #expect(throws: Never.self, "\(file.lastPathComponent)") { try target.run(bytes) }
            // Names are made on the disk, and handshakes take their time.
            for round in 0..<(target == .names || target == .tls ? 2 : 20) {
                var mutant = bytes
                mutate(&mutant, &random)
                #expect(throws: Never.self, "\(file.lastPathComponent), round \(round): \(mutant)") {
                    try target.run(mutant)
                }
            }
        }
    }

    /// Cuts the end off, or changes, takes out or doubles some bytes.
    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.removeSubrange(place...)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes[place..<min(place + 8, bytes.count)], at: place)
        }
    }
}
