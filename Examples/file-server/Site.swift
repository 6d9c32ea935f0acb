import AsyncUV
import AsyncUVHTTP
import ExampleHTTP
import ExampleSupport
import Foundation
import HTTPTypes

/// The directory that is served.
struct Site: Sendable {
    /// Everything is opened below it.
    private let root: Directory
    private let versions = FileVersions()

    /// - Throws: ``UVError`` when there is no such directory.
    init(root: FilePath) async throws { self.root = try await Directory.open(root) }

    /// - Throws: What a server that ends throws.
    func answer(to request: HTTPRequest) async throws -> Answer {
        switch request.method {
        case .get, .head: return try await content(for: request)
        default:
            return Answer(
                HTTPRefusal(.methodNotAllowed, "this server is for reading", fields: [.allow: "GET, HEAD"]))
        }
    }

    private func content(for request: HTTPRequest) async throws -> Answer {
        do { return try await found(RequestPath(request.path ?? ""), request) } catch let refusal as HTTPRefusal {
            return Answer(refusal)
        } catch let error as UVError {
            return Answer(refusal(for: error))
        }
    }

    private func found(_ path: RequestPath, _ request: HTTPRequest) async throws -> Answer {
        let location = location(of: path)
        let (file, status) = try await open(location)
        switch status.kind {
        case .directory where !path.isDirectory:
            // Relative links in the page count from the directory.
            return Answer(.movedPermanently, [.location: "\(path.link)/\(path.query)"])
        case .directory: return try await index(path, request, of: location)
        case .regular where !path.isDirectory: return content(of: file, status, request)
        case .regular: throw HTTPRefusal(.notFound, "a file is not a directory")
        default: throw HTTPRefusal(.forbidden, "this is not a file")
        }
    }

    /// Counted from the root. The names have no slashes and no NUL, and do not begin with a dot.
    private func location(of path: RequestPath) -> FilePath {
        var location: [CChar] = []
        for name in path.names {
            for byte in name { location.append(CChar(bitPattern: byte)) }
            location.append(CChar(UInt8(ascii: "/")))
        }
        return location.isEmpty ? "." : FilePath(platformString: location + [0])
    }

    private func open(_ location: FilePath) async throws -> (File, FileStatus) {
        let file = try await root.open(location)
        return (file, try await file.status())
    }

    // MARK: Directories

    private func index(
        _ path: RequestPath, _ request: HTTPRequest, of location: FilePath
    ) async throws -> Answer {
        do {
            let (file, status) = try await open(location.appending("index.html"))
            if status.kind == .regular { return content(of: file, status, request) }
        } catch let error as UVError where error.code == .noSuchFileOrDirectory {}
        var page = DirectoryPage(path)
        for entry in try await root.entries(of: location, upTo: DirectoryPage.most) where !page.add(entry) { break }
        let fields: HTTPFields = [
            .contentType: "text/html; charset=utf-8", .cacheControl: "no-cache",
            .contentSecurityPolicy: "default-src 'none'",
        ]
        return Answer(.ok, fields, .bytes(Array(page.html.utf8)))
    }

    // MARK: Files

    private func content(of file: File, _ status: FileStatus, _ request: HTTPRequest) -> Answer {
        let version = versions.version(of: file.path, status)
        let range: RequestedRange
        switch version.validators.verdict(on: request.headerFields) {
        case .notModified:
            var fields = version.fields
            for name in [HTTPField.Name.acceptRanges, .contentType] { fields[name] = nil }
            return Answer(.notModified, fields)
        case .failed: return Answer(HTTPRefusal(.preconditionFailed, "the file has changed"))
        case .proceed(let rangeIsWelcome):
            let isForRange = rangeIsWelcome && request.method == .get
            range = isForRange ? RequestedRange(request.headerFields[values: .range], size: status.size) : .all
        }
        switch range {
        case .all: return Answer(head: version.head, .file(file, 0..<status.size))
        case .part(let part):
            var fields = version.fields
            fields[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(status.size)"
            return Answer(.partialContent, fields, .file(file, part))
        case .none:
            return Answer(
                HTTPRefusal(
                    .rangeNotSatisfiable, "the file has no such bytes",
                    fields: [.contentRange: "bytes */\(status.size)"]))
        }
    }

    private func refusal(for error: UVError) -> HTTPRefusal {
        switch error.code {
        case .noSuchFileOrDirectory, .notDirectory, .fileNameTooLong, .tooManySymbolicLinkLevels:
            return HTTPRefusal(.notFound, "there is no such file")
        case .improperLink: return HTTPRefusal(.forbidden, "this leads out of the site")
        case .permissionDenied, .notPermitted, .noSuchAddressOrDevice:
            return HTTPRefusal(.forbidden, "this file cannot be read")
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory:
            return HTTPRefusal(.serviceUnavailable, "too much is going on, try again")
        default:
            // The client need not know what is wrong with our disk.
            printProblem("\(error)")
            return HTTPRefusal(.internalServerError, "the file cannot be read")
        }
    }
}
