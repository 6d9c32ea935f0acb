/// One thing that the tour shows.
protocol Step: Sendable {
    var title: String { get }
    /// What is about to happen and why it matters, in a sentence.
    var sentence: String { get }
    func run(on stage: Stage) throws
}
