import ArgumentParser
import AsyncUV
import Coroutines
import ExampleSupport
import Foundation

/// The article's `urlopen` program: pages fetched at the same time, each in a green task.
struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches pages by HTTP, one after the other and then all at the same time.",
        discussion: """
            Without --base it starts the example file-server beside it, with pages of its own: \
            `swift build --product file-server` first, unless all has been built.
            """)

    @Option(help: "Where the pages are, for example http://127.0.0.1:8000/")
    var base: String?

    @Argument(help: "The pages, below the base. (default: three of different size)")
    var pages: [String] = []

    func run() async throws {
        if let base { return try await fetch(pages.isEmpty ? [""] : pages, from: base) }
        let server = try LocalServer(pages: ["small": 1_000, "medium": 100_000, "large": 10_000_000])
        defer { server.stop() }
        try await fetch(pages.isEmpty ? ["large", "medium", "small"] : pages, from: server.base)
    }

    private func fetch(_ pages: [String], from base: String) async throws {
        let addresses = try pages.map { try Page(base + (base.hasSuffix("/") ? "" : "/") + $0) }
        printLine("one after the other:")
        let started = LoopClock.Instant.now
        try await Green.spawn { for page in addresses { try await show(page) } }.value
        let alone = LoopClock.Instant.now - started
        printLine("at the same time:")
        let again = LoopClock.Instant.now
        let tasks = addresses.map { page in Green.spawn { try await show(page) } }
        for result in try await Green.joinAll(tasks) { try result?.get() }
        let together = LoopClock.Instant.now - again
        printLine("\(together.text) at the same time, \(alone.text) one after the other")
    }

    private func show(_ page: Page) async throws {
        printLine("GET: \(page.url)")
        printLine("\(try await page.fetch()) bytes received from \(page.url).")
    }
}
