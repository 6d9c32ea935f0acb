import ArgumentParser
import AsyncUV
import AsyncUVHTTP
import AsyncUVTLS
import ExampleSupport

@main struct HTTPGet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http-get",
        abstract: "Fetches what is at a URL.",
        discussion: """
            Redirects are followed. With --output the file has its name only when it is whole; what has come of it until then is in \
            FILE.part, where a later call goes on, unless the server has something else meanwhile. A terminal gets a progress bar.

            With https the server's certificate has to be of an authority that the system trusts, or one of --trust.
            """)

    @Argument(help: "http://… or https://…")
    var url: String

    @Option(name: .shortAndLong, help: "Save it in this file instead of printing it.")
    var output: String?

    @Option(help: "How many redirects are followed.")
    var redirects = 10

    @Option(
        help: "How long the server may be silent. (default: 60s)", transform: duration(from:))
    var timeout: Duration = .seconds(60)

    @Option(help: "The authorities that are trusted (PEM). (default: the system's)")
    var trust: String?

    func validate() throws {
        guard HTTPURL(url) != nil else {
            throw ValidationError("The URL is none of http or https, or has a password in it.")
        }
        guard redirects >= 0, timeout > .zero else { throw ValidationError("Redirects and timeout are not negative.") }
    }

    func run() throws {
        guard let url = HTTPURL(url) else { return }
        var configuration = HTTPClient.Configuration()
        configuration.redirects = redirects
        configuration.responseTimeout = timeout
        configuration.bodyTimeout = timeout
        do {
            try EventLoop.run { [output, trust, configuration] loop in
                let context: TLSContext =
                    if let trust {
                        try .client(trust: .pem(await FileSystem.readFile(FilePath(validating: trust))))
                    } else {
                        try .client()
                    }
                let secured = HTTPTransport(secure: { stream, host in
                    try await TLSConnection.secure(stream, as: .client, context: context, serverName: host)
                })
                let client = HTTPClient(configuration, transport: secured, on: loop)
                if let output {
                    try await Download(url, to: FilePath(validating: output), by: client).run()
                } else {
                    let response = try await client.send(.get, to: url)
                    for try await piece in response.body { try printBytes(piece) }
                    if response.status.kind != .successful {
                        throw Failure(text: "the server answered \(response.status)")
                    }
                }
                await client.close()
            }
        } catch {
            printProblem("http-get: \(error)")
            throw ExitCode(1)
        }
    }
}

struct Failure: Error, CustomStringConvertible {
    let text: String

    var description: String { text }
}
