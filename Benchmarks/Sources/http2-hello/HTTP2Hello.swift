import ArgumentParser
import AsyncUV
import AsyncUVHTTP2
import HTTPTypes
import ServerSupport
import UV

/// Thirteen bytes for every request, over HTTP/2 or HTTP/1.1, as the user of `AsyncUVHTTP2` writes it.
@main struct HTTP2Hello: ParsableCommand {
    @OptionGroup var options: ServerOptions

    func run() throws {
        let options = options
        try EventLoop.run { loop in
            let listener = try await TCPListener.bind(
                host: options.host, port: options.port, backlog: ServerOptions.backlog)
            options.announce(port: Int(listener.localAddress.port))
            let server = HTTP2Server()
            let body = Array("Hello, world!".utf8)
            let serving = loop.spawn {
                try await server.serve(listener) { _, response in
                    try await response.send(.ok, [.contentType: "text/plain"], body)
                }
            }
            try await loop.withLoop { loop in
                for signal: Signal in [.terminate, .interrupt] {
                    try SignalHandle(on: loop).start(signal) { _, _ in serving.cancel() }
                }
            }
            _ = await serving.result
        }
    }
}
