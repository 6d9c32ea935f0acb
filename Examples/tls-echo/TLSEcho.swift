import ArgumentParser
import AsyncUV
import AsyncUVTLS
import ExampleSupport

@main struct TLSEcho: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls-echo",
        abstract: "Echoes lines over TLS; with --connect it is the client.",
        discussion: """
            A certificate for tries: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \\
              -keyout key.pem -out certificate.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost
            Try it: tls-echo --certificate certificate.pem --key key.pem --port 7443
                    echo hello | tls-echo --connect localhost:7443 --trust certificate.pem
                    openssl s_client -connect localhost:7443
            After SIGHUP it reads certificate and key anew.
            """)

    @OptionGroup var listen: ListenOptions
    @Option(help: "The server's certificate, and those between it and its authority (PEM).") var certificate: String?
    @Option(help: "The certificate's private key (PEM).") var key: String?
    @Option(help: "Sends standard input to this HOST:PORT, and prints what comes back.") var connect: String?
    @Option(help: "The authorities that the client trusts (PEM). (default: the system's)") var trust: String?

    func validate() throws {
        if connect == nil, certificate == nil || key == nil {
            throw ValidationError("A server needs --certificate and --key, a client --connect.")
        }
    }

    func run() throws {
        let command = self
        try EventLoop.run { loop in
            do {
                if let place = command.connect {
                    try await command.talk(with: place)
                } else {
                    try await command.serve(on: loop)
                }
            } catch {
                printProblem("tls-echo: \(error)")
                throw ExitCode.failure
            }
        }
    }

    // MARK: Server

    private func serve(on loop: EventLoop) async throws {
        let context = try await serverContext()
        let listener = try await TCPListener.bind(host: listen.host, port: listen.port)
        let signals = try await Signals.watch(.interrupt, .terminate, .hangUp)
        let idleTimeout = listen.idleTimeout
        loop.spawn(onError: { TLSConnection.report($0, nil) }) {
            try await listener.serve(
                tls: context, idleTimeout: idleTimeout, onHandshakeError: { error, _ in printProblem("\(error)") }
            ) { client in
                while let line = try await client.readLine(untilDraining: true) { try await client.write(line + "\n") }
            }
        }
        printLine("listening on \(listener.localAddress)")
        while try await signals.next() == .hangUp {
            do { try context.reload(from: try await serverContext()) } catch { printProblem("\(error)") }
        }
        await loop.shutdown(grace: .seconds(1))
    }

    private func serverContext() async throws -> TLSContext {
        let (chain, key) = (FilePath(certificate ?? ""), FilePath(key ?? ""))
        return try .server(
            identity: TLSIdentity(
                certificateChainPEM: try await FileSystem.readFile(chain),
                privateKeyPEM: try await FileSystem.readFile(key)))
    }

    // MARK: Client

    private func talk(with place: String) async throws {
        guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
            throw ValidationError("'\(place)' is not HOST:PORT.")
        }
        let trusted: TLSTrust =
            if let trust { .pem(try await FileSystem.readFile(FilePath(trust))) } else { .system }
        let input = try await File.open("/dev/stdin")
        try await TLSConnection.withConnection(
            host: String(place[..<colon]), port: port, context: .client(trust: trusted), timeout: .seconds(10)
        ) { connection in
            for try await line in input.lines() {
                try await connection.write(line + "\n")
                guard let answer = try await connection.readLine() else { break }
                printLine(answer)
            }
        }
    }
}
