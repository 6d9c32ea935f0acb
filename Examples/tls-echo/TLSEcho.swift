import ArgumentParser
import AsyncUV
import AsyncUVTLS
import ExampleInput
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
        let files = Files(
            certificate: certificate.map { FilePath($0) }, key: key.map { FilePath($0) },
            trust: trust.map { FilePath($0) })
        let (host, port, idleTimeout, place) = (listen.host, listen.port, listen.idleTimeout, connect)
        let isDone = try EventLoop.run { loop in
            do {
                if let place {
                    try await talk(with: place, files, on: loop)
                } else {
                    try await serve(at: host, port, files, idleTimeout, on: loop)
                }
                return true
            } catch {
                printProblem("tls-echo: \(error)")
                return false
            }
        }
        if !isDone { throw ExitCode.failure }
    }
}

/// Where certificates and keys are.
private struct Files {
    let certificate: FilePath?
    let key: FilePath?
    let trust: FilePath?

    func serverContext() async throws -> TLSContext {
        try .server(
            identity: TLSIdentity(
                certificateChainPEM: try await FileSystem.readFile(certificate ?? ""),
                privateKeyPEM: try await FileSystem.readFile(key ?? "")))
    }

    func clientContext() async throws -> TLSContext {
        guard let trust else { return try .client() }
        return try .client(trust: .pem(try await FileSystem.readFile(trust)))
    }
}

private func serve(
    at host: String, _ port: UInt16, _ files: Files, _ idleTimeout: Duration?, on loop: EventLoop
) async throws {
    let context = try await files.serverContext()
    let listener = try await TCPListener.bind(host: host, port: port)
    let signals = try await Signals.watch(.interrupt, .terminate, .hangUp)
    loop.spawn(onError: { TLSConnection.report($0, nil) }) {
        try await listener.serve(
            tls: context, idleTimeout: idleTimeout, onHandshakeError: { error, _ in printProblem("\(error)") }
        ) { client in
            while let line = try await client.readLine(untilDraining: true) { try await client.write(line + "\n") }
        }
    }
    printLine("listening on \(listener.localAddress)")
    while try await signals.next() == .hangUp {
        do { try context.reload(from: try await files.serverContext()) } catch { printProblem("\(error)") }
    }
    await loop.shutdown(grace: .seconds(1))
}

private func talk(with place: String, _ files: Files, on loop: EventLoop) async throws {
    guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
        throw ValidationError("'\(place)' is not HOST:PORT.")
    }
    var input = StandardInput()
    try await TLSConnection.withConnection(
        host: String(place[..<colon]), port: port, context: files.clientContext(), timeout: .seconds(10)
    ) { connection in
        while let line = try await input.readLine(on: loop) {
            try await connection.write(line + "\n")
            guard let answer = try await connection.readLine() else { break }
            printLine(answer)
        }
    }
}
