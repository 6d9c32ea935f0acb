import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import AsyncUVHTTP

/// Requests that are broken at random. Set `FUZZ_SEED` and `FUZZ_COUNT` for other ones and for more.
@Suite struct RequestFuzzTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? 20_261_123
    private static let count = environment["FUZZ_COUNT"].flatMap { Int($0) } ?? 1_000

    @Test func neverTrapsAndDoesNotDependOnTheCuts() {
        var random = SeededGenerator(seed: Self.seed)
        var accepted = 0, refused = 0
        for round in 0..<Self.count {
            let bytes = Mutant.bytes(&random)
            let whole = Requests([bytes[...]])
            let single = Requests(bytes.indices.map { bytes[$0...$0] })
            let pieces = Requests(Mutant.cut(bytes, &random).map { $0[...] })
            guard whole == single, whole == pieces else {
                Issue.record("seed \(Self.seed), round \(round): \(String(decoding: bytes, as: UTF8.self))")
                return
            }
            accepted += whole.heads.count
            refused += whole.refusal == nil ? 0 : 1
            for request in whole.heads { check(request, "seed \(Self.seed), round \(round)") }
        }
        // The mutants are neither all broken nor all sound.
        #expect(accepted > Self.count / 4 && refused > Self.count / 4, "\(accepted) accepted, \(refused) refused")
    }

    /// What a request that was accepted promises, and what the server does with its parts.
    private func check(_ request: ParsedRequest, _ place: String) {
        let values = request.head.headerFields.map(\.value) + [request.head.path ?? "", request.head.authority ?? ""]
        #expect(!values.contains { $0.utf8.contains { $0 < 0x20 && $0 != 9 || $0 == 0x7F } }, "\(place)")
        #expect(request.head.headerFields[values: .contentLength].count < 2, "\(place)")
        #expect(request.head.headerFields.count <= HTTPLimits().fieldCount, "\(place)")
        // Written down again it is the same request: nobody behind us would read it otherwise.
        let again = try? parse(text(of: request))
        if text(of: request).utf8.count < HTTPLimits().head { #expect(again == [request], "\(place)") }
    }

    private func text(of request: ParsedRequest) -> String {
        let target = request.head.scheme.map { "\($0)://\(request.head.authority ?? "")" } ?? ""
        let path = request.head.method == .connect ? request.head.authority : request.head.path
        let version = request.version == .http10 ? "HTTP/1.0" : "HTTP/1.1"
        var text = "\(request.head.method.rawValue) \(target)\(path ?? "") \(version)\r\n"
        if let host = request.head.authority, request.head.method != .connect { text += "Host: \(host)\r\n" }
        if request.head.method == .connect { text += "Host:\r\n" }
        for field in request.head.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        return text + "\r\n"
    }
}
