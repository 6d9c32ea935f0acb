import ArgumentParser

@main
struct IOModels: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "io-models",
        abstract: "The ways to wait for input and output: served, measured, and done wrong.",
        subcommands: [Serve.self, FigureCommand.self, PitfallsCommand.self])
}
