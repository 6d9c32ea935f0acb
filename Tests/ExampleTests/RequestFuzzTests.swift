import ExampleHTTP
import Foundation
import TestSupport
import Testing

/// Targets and ranges that are broken at random. Set `FUZZ_SEED` and `FUZZ_COUNT` for other ones and for more.
@Suite struct RequestFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? 20_261_123
    private static let count = environment["FUZZ_COUNT"].flatMap { Int($0) } ?? 3_000

    private static let targets = [
        "/", "/a%20b/%C3%A4.txt?x=y", "//a/../b", "/..%2f..%2f", "/%00", "/.git", "/a/./b/", "*", "/%", "/\u{80}",
    ]
    private static let ranges = [
        "bytes=0-4", "bytes=9223372036854775807-9223372036854775807", "bytes=-", "bytes=-99999999999999999999",
        "bytes=5-", "bytes=-1", "bytes=0-0,2-3",
    ]

    @Test func pathsStayInsideAndRangesInTheFile() {
        var random = SeededGenerator(seed: Self.seed)
        var accepted = 0
        for round in 0..<Self.count {
            let place: Comment = "seed \(Self.seed), round \(round)"
            let target = mutant(of: Self.targets, &random)
            if let path = try? RequestPath(target) {
                accepted += 1
                #expect(path.names.allSatisfy { !$0.isEmpty && $0[0] != 0x2E && !$0.contains(0) && !$0.contains(0x2F) })
                #expect(!path.link.hasPrefix("//") && (try? RequestPath(path.link))?.names == path.names, place)
            }
            let size = [0, 1, 5, Int64.max].randomElement(using: &random)!
            if case .part(let range) = RequestedRange([mutant(of: Self.ranges, &random)], size: size) {
                #expect(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= size, place)
            }
        }
        #expect(accepted > Self.count / 10 && accepted < Self.count, "\(accepted) accepted")
    }

    private func mutant(of sound: [String], _ random: inout SeededGenerator) -> String {
        var bytes = Array(sound.randomElement(using: &random)!.utf8)
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let place = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 0...3, using: &random))
            if Bool.random(using: &random) {
                bytes.replaceSubrange(place..<end, with: Array("/.%2e?-=0,".utf8).shuffled(using: &random).prefix(2))
            } else {
                bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
