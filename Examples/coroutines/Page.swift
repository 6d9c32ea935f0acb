import ArgumentParser
import AsyncUV
import Foundation

/// A page of an HTTP server.
struct Page: Sendable {
    /// How much a server may say before the page itself.
    private static let headLimit = 100

    let url: String
    private let host: String
    private let port: UInt16
    private let path: String

    init(_ url: String) throws {
        guard let parts = URLComponents(string: url), parts.scheme == "http", let host = parts.host, !host.isEmpty,
            let port = UInt16(exactly: parts.port ?? 80)
        else { throw ValidationError("not the address of a page by http: \(url)") }
        self.url = url
        (self.host, self.port) = (host.trimmingCharacters(in: ["[", "]"]), port)
        path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
    }

    /// Fetches the page.
    ///
    /// - Returns: Its length in bytes.
    @concurrent
    func fetch() async throws -> Int {
        let connection = try await TCPConnection.connect(host: host, port: port, timeout: .seconds(10))
        do {
            let length = try await length(of: connection)
            await connection.close()
            return length
        } catch {
            await connection.close()
            throw error
        }
    }

    private func length(of connection: TCPConnection) async throws -> Int {
        // HTTP 1.0: the page comes in one piece, and ends with its connection.
        try await connection.write(Array("GET \(path) HTTP/1.0\r\nHost: \(host):\(port)\r\n\r\n".utf8))
        let expected = try await head(of: connection)
        var received = 0
        while let chunk = try await connection.read() { received += chunk.count }
        if let expected, expected != received {
            throw Problem(description: "\(url): \(received) of \(expected) bytes came")
        }
        return received
    }

    /// Reads status and headers.
    ///
    /// - Returns: The length that the server promises, if it does.
    private func head(of connection: TCPConnection) async throws -> Int? {
        guard let status = try await connection.readLine(), status.hasPrefix("HTTP/1.") else {
            throw Problem(description: "\(url): not an answer by HTTP")
        }
        guard status.split(separator: " ").dropFirst().first == "200" else {
            throw Problem(description: "\(url): \(status)")
        }
        var length: Int?
        for _ in 0..<Self.headLimit {
            guard let line = try await connection.readLine() else { break }
            if line.isEmpty { return length }
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            length = Int(parts[1].trimmingCharacters(in: .whitespaces))
        }
        throw Problem(description: "\(url): headers without an end")
    }
}

/// What went wrong, for the person at the terminal.
struct Problem: Error, CustomStringConvertible {
    let description: String
}
