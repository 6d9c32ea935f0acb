/// The body of a deadline, while the task that runs it has it. The task that lent it waits meanwhile, so that only one of both
/// is in the body's captures at any time.
final class LentBody: @unchecked Sendable {
    typealias Body = nonisolated(nonsending) () async throws -> Void

    private var body: Body?
    /// What the body has thrown.
    private(set) var error: (any Error)?
    /// The task that lent the body, if it waits for ``run()`` to tell it.
    private var lender = Suspension<Void>()
    private var isOver = false
    /// Whether that task had been cancelled.
    private let isCancelled: Bool

    init(_ body: @escaping Body, isCancelled: Bool) {
        self.body = body
        self.isCancelled = isCancelled
    }

    /// Runs the body on the actor where it was lent.
    func run(in isolation: isolated any Actor) async { await run() }

    nonisolated(nonsending) func run() async {
        if isCancelled { cancelCurrentTask() }
        do { try await body?() } catch { self.error = error }
        body = nil
        isOver = true
        lender.resume(returning: ())
    }

    /// Keeps the task that lent the body until the body has ended, which it may have already.
    func keep(_ lender: Suspension<Void>) {
        self.lender = lender
        if isOver { self.lender.resume(returning: ()) }
    }
}
