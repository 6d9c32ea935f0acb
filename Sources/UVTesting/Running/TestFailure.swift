/// Why a run has failed.
public struct TestFailure: Error, CustomStringConvertible {
    /// What has ended the run.
    public enum Reason: Sendable {
        /// The body threw an error, in a run for one of several seeds.
        case thrown(any Error)
        /// Nothing is due, and everything waits: for what is listed, as far as it waits on the loop.
        case stuck([String])
        /// Tasks make one another run without end, and wait for nothing, so that no time goes by.
        case restless
    }

    /// What has ended the run.
    public let reason: Reason
    /// The seed that the run had; `nil` for none.
    public let seed: UInt64?
    /// The end of the trace.
    public let trace: [String]

    /// What has happened, and how to make it happen again.
    public var description: String {
        let replay = seed.map { "; replay with TestLoop.run(seed: \($0)) or SWIFT_UV_SEED=\($0)" } ?? ""
        return (seed.map { "seed \($0) failed: " } ?? "") + "\(sentence)\(replay)"
    }

    private var sentence: String {
        switch reason {
        case .thrown(let error): "\(error)"
        case .stuck(let waits):
            """
            nothing is due, and everything waits: \
            \(waits.isEmpty ? "nothing waits on the loop, so tasks wait for each other" : waits.joined(separator: ", "))
            """
        case .restless: "tasks run without end and wait for nothing, so that no time goes by"
        }
    }
}
