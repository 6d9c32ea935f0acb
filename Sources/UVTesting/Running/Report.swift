internal import AsyncUV
internal import SystemPackage

/// Lines for a person on standard error.
enum Report {
    static func write(_ line: String) { _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8) }

    /// A number in the environment: `SWIFT_UV_SEED`.
    static var seed: UInt64? { value(of: "SWIFT_UV_SEED").flatMap { UInt64($0) } }

    /// Whether each line of the trace is printed: `SWIFT_UV_TRACE`.
    static var printsTrace: Bool { value(of: "SWIFT_UV_TRACE").map { !$0.isEmpty } ?? false }

    private static func value(of name: String) -> String? { (try? SystemInfo.environmentValue(of: name)) ?? nil }
}
