/// The media types of files, by the ends of their names.
public enum ContentType {
    /// The type of a file.
    ///
    /// - Parameter fileExtension: What is behind the last dot of its name.
    public static func of(_ fileExtension: String?) -> String {
        guard let type = types[fileExtension?.lowercased() ?? ""] else { return "application/octet-stream" }
        return type.hasPrefix("text/") ? "\(type); charset=utf-8" : type
    }

    private static let types = [
        "avif": "image/avif",
        "bin": "application/octet-stream",
        "bmp": "image/bmp",
        "c": "text/plain",
        "css": "text/css",
        "csv": "text/csv",
        "gif": "image/gif",
        "gz": "application/gzip",
        "h": "text/plain",
        "htm": "text/html",
        "html": "text/html",
        "ico": "image/vnd.microsoft.icon",
        "jpeg": "image/jpeg",
        "jpg": "image/jpeg",
        "js": "text/javascript",
        "json": "application/json",
        "log": "text/plain",
        "map": "application/json",
        "md": "text/markdown",
        "mjs": "text/javascript",
        "mp3": "audio/mpeg",
        "mp4": "video/mp4",
        "ogg": "audio/ogg",
        "otf": "font/otf",
        "pdf": "application/pdf",
        "png": "image/png",
        "py": "text/plain",
        "rtf": "application/rtf",
        "sh": "text/plain",
        "svg": "image/svg+xml",
        "swift": "text/plain",
        "tar": "application/x-tar",
        "text": "text/plain",
        "tif": "image/tiff",
        "tiff": "image/tiff",
        "toml": "text/plain",
        "ttf": "font/ttf",
        "txt": "text/plain",
        "wasm": "application/wasm",
        "wav": "audio/wav",
        "weba": "audio/webm",
        "webm": "video/webm",
        "webmanifest": "application/manifest+json",
        "webp": "image/webp",
        "woff": "font/woff",
        "woff2": "font/woff2",
        "xhtml": "application/xhtml+xml",
        "xml": "application/xml",
        "yaml": "text/plain",
        "yml": "text/plain",
        "zip": "application/zip",
    ]
}
