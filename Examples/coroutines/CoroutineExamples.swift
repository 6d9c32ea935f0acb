import ArgumentParser

@main struct CoroutineExamples: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coroutines",
        abstract: "The article's coroutine programs: yield, greenlet, gevent.",
        subcommands: [
            ProducerConsumer.self, GreenletSwitches.self, Gevent.self, Fetch.self, GreenServer.self, Many.self,
        ])
}
