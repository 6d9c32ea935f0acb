import ArgumentParser
import Readiness
import ServerModels
import ServerSupport

/// The servers of `Examples/ServerModels`, as they are.
@main struct EchoReadiness: ParsableCommand {
    @Argument(
        help: "Which: \(ServerModel.allCases.map(\.rawValue).joined(separator: ", ")).",
        transform: { name in
            guard let model = ServerModel(rawValue: name) else { throw ValidationError("There is no model \(name).") }
            return model
        })
    var model: ServerModel
    @OptionGroup var options: ServerSupport.ServerOptions

    func run() throws {
        exitOnSignals()
        let listener = try Socket.listening(
            on: Endpoint(host: options.host, port: options.port), backlog: CInt(ServerSupport.ServerOptions.backlog))
        // On Linux connections inherit it.
        try listener.set(.noDelay, to: 1)
        options.announce(port: Int(listener.localEndpoint!.port))
        try model.server().run(on: listener, until: Stop())
    }
}
