import ArgumentParser
import AsyncUV

/// Gives the same bytes to the server of AsyncUVHTTP and to SwiftNIO's decoder, and tells where the two read them differently.
///
/// What one of two programs takes and the other refuses, or reads otherwise, is how requests are smuggled past a proxy. Differences that are on purpose
/// are in `Purposes`; any other ends the program with 1.
@main struct HTTPDifferential: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "http-differential")

    @Option(help: "How many requests are broken at random.") var count = 20_000
    @Option(help: "Other ones with another seed.") var seed: UInt64 = 20_261_128
    @Option(help: "How many examples of each unexpected difference are shown.") var examples = 3

    func run() throws {
        let (count, seed) = (count, seed)
        let report = try EventLoop.run { loop in
            var report = Report()
            var random = SeededGenerator(seed: seed)
            for text in Corpus.texts {
                for pieces in [[Array(text.utf8)], Array(text.utf8).map { [$0] }] {
                    report.note(await Comparison.compare(pieces, on: loop), of: pieces)
                }
            }
            for _ in 0..<count {
                let bytes = Mutant.bytes(&random)
                let pieces = Bool.random(using: &random) ? [bytes] : Mutant.cut(bytes, &random)
                report.note(await Comparison.compare(pieces, on: loop), of: pieces)
            }
            return report
        }
        report.print(examples: examples)
        if report.hasUnexpected { throw ExitCode.failure }
    }
}

/// What was found, by its kind.
struct Report: Sendable {
    private struct Kind: Sendable {
        var count = 0
        var examples: [String] = []
        var reason: String?
    }

    private var inputs = 0, requests = 0, refusals = 0
    private var kinds: [String: Kind] = [:]

    var hasUnexpected: Bool { kinds.values.contains { $0.reason == nil } }

    mutating func note(_ comparison: Comparison, of pieces: [[UInt8]]) {
        inputs += 1
        requests += comparison.requests
        switch comparison.difference {
        case nil: break
        case .bothRefuse?: refusals += 1
        case let difference?:
            let bytes = pieces.flatMap { $0 }
            let reason = Purposes.reason(for: difference, in: bytes)
            // An unexpected one of a kind that has a reason for others is a kind of its own.
            var kind = kinds["\(difference)\(reason == nil ? " (!)" : "")"] ?? Kind()
            kind.count += 1
            kind.reason = reason
            if kind.examples.count < 10 { kind.examples.append(Self.escaped(bytes)) }
            kinds["\(difference)\(reason == nil ? " (!)" : "")"] = kind
        }
    }

    func print(examples: Int) {
        Swift.print(
            "\(inputs) inputs: \(requests) requests read alike, \(refusals) inputs refused by both at the same place")
        let expected = kinds.filter { $0.value.reason != nil }.sorted { $0.value.count > $1.value.count }
        if !expected.isEmpty { Swift.print("\nOn purpose:") }
        for (name, kind) in expected { Swift.print("\(Self.padded(kind.count))  \(name): \(kind.reason ?? "")") }
        let unexpected = kinds.filter { $0.value.reason == nil }.sorted { $0.value.count > $1.value.count }
        Swift.print(unexpected.isEmpty ? "\nNothing unexpected." : "\nUNEXPECTED:")
        for (name, kind) in unexpected {
            Swift.print("\(Self.padded(kind.count))  \(name)")
            for example in kind.examples.prefix(examples) { Swift.print("          \(example)") }
        }
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: " ", count: max(0, 8 - "\(number)".count)) + "\(number)"
    }

    private static func escaped(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes.prefix(600) {
            switch byte {
            case 0x0D: text += "\\r"
            case 0x0A: text += "\\n"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return bytes.count > 600 ? text + "…" : text
    }
}
