import AsyncUV
import AsyncUVHTTP
import ExampleSupport
import HTTPTypes

/// A file that comes over HTTP: kept aside until it is whole, gone on with where an earlier try has ended.
struct Download {
    private let url: HTTPURL
    private let path: FilePath
    private let client: HTTPClient
    /// What has come.
    private let part: FilePath
    /// Which version of the file that is: the server's tag for it.
    private let tag: FilePath

    init(_ url: HTTPURL, to path: FilePath, by client: HTTPClient) {
        self.url = url
        self.path = path
        self.client = client
        part = FilePath(path.string + ".part")
        tag = FilePath(path.string + ".part.tag")
    }

    func run() async throws {
        let file = try await File.open(part, .writeOnly, options: [.create])
        do {
            let size = try await fetch(to: file)
            try await file.sync()
            try await file.close()
            try await FileSystem.rename(part, to: path)
            try? await FileSystem.remove(tag)
            printLine("saved \(path), \(size.grouped) bytes")
        } catch {
            try? await file.close()
            throw error
        }
    }

    /// - Returns: The size of the whole file.
    private func fetch(to file: File) async throws -> Int64 {
        var offset = try await file.size()
        var fields = HTTPFields()
        let known = try? await FileSystem.readFile(tag)
        if offset > 0, let known, !known.isEmpty {
            fields[.range] = "bytes=\(offset)-"
            // A server that has another version sends all of it.
            fields[.ifRange] = String(decoding: known, as: UTF8.self)
        } else {
            offset = 0
        }
        let response = try await client.send(.get, to: url, fields: fields)
        switch response.status {
        case .partialContent where response.fields[.contentRange]?.hasPrefix("bytes \(offset)-") == true:
            printProblem("going on at \(offset.grouped) bytes")
        case .ok: offset = 0
        case .rangeNotSatisfiable where response.fields[.contentRange] == "bytes */\(offset)": return offset
        case .rangeNotSatisfiable:
            // What is here is none of it.
            try await file.truncate(to: 0)
            return try await fetch(to: file)
        default: throw Failure(text: "\(response.url): the server answered \(response.status)")
        }
        if offset == 0 {
            try await file.truncate(to: 0)
            // Weak tags are for pages that mean the same; only strong ones are for bytes.
            let newTag = response.fields[.eTag].flatMap { $0.hasPrefix("\"") ? $0 : nil }
            try await FileSystem.writeFile(tag, Array((newTag ?? "").utf8))
        }
        return try await save(response, to: file, at: offset)
    }

    private func save(_ response: HTTPClientResponse, to file: File, at start: Int64) async throws -> Int64 {
        var offset = start
        let bar = ProgressBar(total: response.body.length.map { start + Int64($0) })
        var writer = file.writer(at: start)
        do {
            for try await piece in response.body {
                try await writer.write(piece)
                offset += Int64(piece.count)
                bar?.show(offset)
            }
            try await writer.flush()
        } catch {
            // For the next time.
            try? await writer.flush()
            bar?.end()
            throw error
        }
        bar?.end()
        return offset
    }
}
